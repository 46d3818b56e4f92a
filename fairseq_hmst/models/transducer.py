"""hmst_transducer: encoder, prediction network and joiner (RNN-T; Graves 2012, arXiv:1211.3711)."""

from dataclasses import dataclass, field
from typing import Optional

import torch
from fairseq.data import Dictionary
from fairseq.dataclass import ChoiceEnum
from fairseq.models import register_model
from torch import Tensor

from ..data.labels import BLANK_INDEX
from ..modules.joiner import Joiner
from ..modules.predictor import PREDICTORS, LSTMPredictor, PredictorState, StatelessPredictor
from .hmst_model import (
    AuxiliaryCTCConfig,
    HmstModel,
    ModelOutput,
    ModelTask,
    TransducerInputs,
    check_source_names_language,
)


@dataclass
class TransducerConfig(AuxiliaryCTCConfig):
    """All options of hmst_transducer."""

    predictor: ChoiceEnum(list(PREDICTORS)) = field(  # type: ignore[valid-type]
        default="lstm", metadata={"help": "prediction network: lstm sees all labels so far, stateless the last few"}
    )
    predictor_dim: int = field(
        default=512, metadata={"help": "width of the prediction network: embeddings, layers, output"}
    )
    predictor_layers: Optional[int] = field(default=None, metadata={"help": "LSTM layers (default: 1); lstm only"})
    predictor_context: Optional[int] = field(
        default=None, metadata={"help": "labels that the prediction network sees (default: 2); stateless only"}
    )
    joint_dim: int = field(default=640, metadata={"help": "width in which encoder and prediction network meet"})


# the option that belongs to one kind of prediction network alone: (kind, its argument, the option)
PREDICTOR_OPTIONS = (("lstm", "layers", "predictor_layers"), ("stateless", "context", "predictor_context"))


def build_predictor(config: TransducerConfig, dictionary: Dictionary) -> LSTMPredictor | StatelessPredictor:
    """The prediction network that --predictor names, over the labels of `dictionary`.

    Raises:
        ValueError: an option of another kind is given.
    """
    kind = str(config.predictor)
    own_options = {}
    for owner, argument, option in PREDICTOR_OPTIONS:
        value = getattr(config, option)
        if value is not None and owner != kind:
            flag = option.replace("_", "-")
            raise ValueError(f"--{flag} {value} has no effect with --predictor {kind}; it belongs to {owner}")
        if value is not None:
            own_options[argument] = value
    return PREDICTORS[kind](
        len(dictionary), dictionary.pad(), BLANK_INDEX, config.predictor_dim, config.dropout, **own_options
    )


@register_model("hmst_transducer", dataclass=TransducerConfig)
class TransducerModel(HmstModel):
    """The shared encoder with a transducer on the translation; both CTC heads may be added as auxiliary losses."""

    family = "hmst_transducer"
    main_heads = ("transducer",)
    transducer_blank_index = BLANK_INDEX

    def __init__(self, config: TransducerConfig, task: ModelTask) -> None:
        super().__init__(config, task, target_ctc=config.target_ctc)
        check_source_names_language(task.data_bin, "a transducer")
        self.predictor = build_predictor(config, task.target_dictionary)
        self.num_start_tokens = task.data_bin.language_symbols.num_start_tokens
        num_labels = len(task.target_dictionary)
        self.joiner = Joiner(config.embed_dim, config.predictor_dim, config.joint_dim, num_labels)

    @property
    def decodings(self) -> tuple[str, ...]:
        return ("transducer", *super().decodings)

    def forward(self, src_tokens: Tensor, src_lengths: Tensor, prev_output_tokens: Tensor) -> ModelOutput:
        """Arguments of every head's loss, of source tokens (B, T) and shifted target tokens (B, start + U).

        Where prev_output_tokens starts, with fairseq's eos and a language symbol, it is not read: the prediction
        network has its own start, and the source names the language.
        """
        encoder_out, output = self.encode_with_heads(src_tokens, src_lengths)
        predictor_out = self.joiner.project_predictor(self.predictor(prev_output_tokens[:, self.num_start_tokens :]))
        # views: DistributedDataParallel would take a parameter that is itself an output for one that is not used
        layer = self.joiner.output
        weight, bias = layer.weight.view_as(layer.weight), layer.bias.view_as(layer.bias)
        inputs = TransducerInputs(self.project_encoder(encoder_out)[0], predictor_out, weight, bias)
        return output._replace(transducer=inputs)

    def project_encoder(self, encoder_out: dict[str, list[Tensor]]) -> tuple[Tensor, Tensor]:
        """The encoder's side of the joiner: (B, T, J), and (B,) lengths."""
        states = encoder_out["encoder_out"][0].transpose(0, 1)  # (T, B, D) -> (B, T, D)
        return self.joiner.project_encoder(states), self.source_lengths(encoder_out)

    def start_prediction(self, num_hypotheses: int) -> tuple[Tensor, PredictorState]:
        """The predictor's side of the joiner for N hypotheses without labels: (N, J), and the predictor's state."""
        state = self.predictor.initial_state(num_hypotheses)
        start = torch.full((num_hypotheses,), BLANK_INDEX, device=self.joiner.output.weight.device)
        return self.predict(start, state)

    def predict(self, labels: Tensor, state: PredictorState) -> tuple[Tensor, PredictorState]:
        """The predictor's side after one more label (N,) of each hypothesis: (N, J), and the predictor's state."""
        states, state = self.predictor.step(labels, state)
        return self.joiner.project_predictor(states), state

    def joint_log_probs(self, encoder_projected: Tensor, predictor_projected: Tensor) -> Tensor:
        """Join both sides, (N, J) and (N, J), to log-probabilities of blank and labels, (N, V) float32."""
        return self.joiner.log_probs(encoder_projected, predictor_projected)
