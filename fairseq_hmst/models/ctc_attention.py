"""hmst_ctc_attention: joint CTC and attention (Watanabe et al. 2017; Yan et al. 2023)."""

from fairseq.models import register_model

from .aed import AttentionDecoderConfig, AttentionDecoderModel
from .hmst_model import ModelTask


@register_model("hmst_ctc_attention", dataclass=AttentionDecoderConfig)
class CTCAttentionModel(AttentionDecoderModel):
    """An encoder-decoder whose last encoder layer always learns the translation by CTC."""

    family = "hmst_ctc_attention"
    main_heads = ("attention", "ctc")

    def __init__(self, config: AttentionDecoderConfig, task: ModelTask) -> None:
        super().__init__(config, task, target_ctc=True)

    @property
    def decodings(self) -> tuple[str, ...]:
        return ("joint", "attention", "ctc")
