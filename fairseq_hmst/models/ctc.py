"""hmst_ctc: encoder and CTC alone, a non-autoregressive model."""

from fairseq.models import register_model
from torch import Tensor

from .hmst_model import HmstModel, ModelOutput, ModelTask, SharedEncoderConfig


@register_model("hmst_ctc", dataclass=SharedEncoderConfig)
class CTCModel(HmstModel):
    """The shared encoder with CTC on the translation after its last layer."""

    family = "hmst_ctc"
    main_heads = ("ctc",)

    def __init__(self, config: SharedEncoderConfig, task: ModelTask) -> None:
        super().__init__(config, task, target_ctc=True)

    def forward(self, src_tokens: Tensor, src_lengths: Tensor, prev_output_tokens: Tensor | None = None) -> ModelOutput:
        """Scores of the CTC heads, of source tokens (B, T); prev_output_tokens is accepted and not used."""
        return self.encode_with_heads(src_tokens, src_lengths)[1]
