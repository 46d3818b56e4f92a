"""Named sizes: `_tiny` for tests and the CPU, `_base` for the paper's size; an option given by the user wins."""

from argparse import Namespace

from fairseq.models import register_model_architecture

from . import aed, ctc, ctc_attention, transducer  # noqa: F401  (a family must be registered before its sizes)

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


def _register(model: str, size: str, values: dict[str, int]) -> None:
    def set_defaults(arguments: Namespace) -> None:
        for name, value in values.items():
            setattr(arguments, name, getattr(arguments, name, value))

    register_model_architecture(model, f"{model}_{size}")(set_defaults)


for _model, _sizes in SIZES.items():
    for _size, _values in _sizes.items():
        _register(_model, _size, _values)
