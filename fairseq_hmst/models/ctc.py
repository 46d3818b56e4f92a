"""hmst_ctc: encoder and CTC alone, a non-autoregressive model."""

from typing import Any, Optional

from fairseq.models import register_model
from torch import Tensor

from .base import HmstModel, ModelOutput, SharedEncoderConfig


@register_model("hmst_ctc", dataclass=SharedEncoderConfig)
class CTCModel(HmstModel):
    """The shared encoder with CTC on the translation after its last layer."""

    def __init__(self, config: Any, task: Any) -> None:
        super().__init__(config, task, target_ctc=True)

    def forward(
        self, src_tokens: Tensor, src_lengths: Tensor, prev_output_tokens: Optional[Tensor] = None
    ) -> ModelOutput:
        """(B, T) source tokens -> scores of the CTC heads; prev_output_tokens is accepted and not used."""
        return self.encode_with_heads(src_tokens, src_lengths)[1]
