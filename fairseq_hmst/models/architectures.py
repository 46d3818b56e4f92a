"""Named sizes: `_tiny` for tests and the CPU, `_base` for the paper's size; an option given by the user wins.

Each is a model of its own with its sizes as defaults, so that its name gives them wherever fairseq reads it: as --arch
or as `model._name` of fairseq-hydra-train, before or after it imports this package.
"""

from dataclasses import field, fields, make_dataclass

from fairseq.models import MODEL_DATACLASS_REGISTRY, register_model

from .aed import AedModel
from .ctc import CTCModel
from .ctc_attention import CTCAttentionModel
from .hmst_model import HmstModel
from .transducer import TransducerModel

# about 1.5 million parameters with small vocabularies
TINY = {"embed_dim": 128, "ffn_embed_dim": 512, "attention_heads": 4, "encoder_layers": 3, "decoder_layers": 2}
BASE = {"embed_dim": 256, "ffn_embed_dim": 2048, "attention_heads": 4, "encoder_layers": 12, "decoder_layers": 6}
# ESPnet's MuST-C v2 CTC/attention: 12 layers to the source CTC and 6 more to the target CTC
HIERARCHICAL = BASE | {"encoder_layers": 18, "source_ctc_layer": 12}
TINY_HIERARCHICAL = TINY | {"source_ctc_layer": 2}
TINY_TRANSDUCER = {"predictor_dim": 128, "joint_dim": 128}  # base: the defaults, an LSTM of 512 and a joiner of 640

SIZES = {
    "hmst_aed": {"tiny": TINY, "base": BASE},
    "hmst_ctc": {"tiny": TINY_HIERARCHICAL, "base": HIERARCHICAL},
    "hmst_ctc_attention": {"tiny": TINY_HIERARCHICAL, "base": HIERARCHICAL},
    "hmst_transducer": {"tiny": TINY_HIERARCHICAL | TINY_TRANSDUCER, "base": HIERARCHICAL},
}


def _register(model: type[HmstModel], size: str, values: dict[str, int]) -> None:
    options = MODEL_DATACLASS_REGISTRY[model.family]
    sized = [
        (option.name, option.type, field(default=values[option.name], metadata=option.metadata))
        for option in fields(options)
        if option.name in values
    ]
    name = f"{model.family}_{size}"
    sized_model = type(name, (model,), {"__doc__": f"{model.family} with sizes of its own."})
    register_model(name, dataclass=make_dataclass(f"{name}_options", sized, bases=(options,)))(sized_model)


for _model in (AedModel, CTCModel, CTCAttentionModel, TransducerModel):
    for _size, _values in SIZES[_model.family].items():
        _register(_model, _size, _values)
