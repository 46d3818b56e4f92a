"""The attention decoder: fairseq's Transformer decoder, which asks nothing of a GPU and remembers nothing."""

from fairseq.data import Dictionary
from fairseq.models.transformer import TransformerConfig, TransformerDecoderBase
from fairseq.modules.transformer_layer import TransformerDecoderLayerBase
from fairseq.utils import fill_with_neg_inf
from torch import Tensor, nn


class CausalDecoderLayer(TransformerDecoderLayerBase):
    """fairseq's decoder layer, whose self-attention needs no mask of padding.

    Targets are padded on the right, where no token of a sentence looks.
    """

    def forward(
        self, x: Tensor, *inputs: object, self_attn_padding_mask: Tensor | None = None, **options: object
    ) -> tuple[Tensor, Tensor | None, None]:
        """Apply the layer to (U, B, D); all but the mask of padding as in fairseq."""
        return super().forward(x, *inputs, **options)


class AttentionDecoder(TransformerDecoderBase):
    """fairseq's Transformer decoder, which several threads may use: it keeps no mask of the sequence before.

    Args:
        config: fairseq's configuration.
        dictionary: the output dictionary.
        embedding: of its ids, of input and output.
    """

    def __init__(self, config: TransformerConfig, dictionary: Dictionary, embedding: nn.Embedding) -> None:
        super().__init__(config, dictionary, embedding)
        # fairseq then makes a mask of padding without asking first whether there is any, which a GPU would have to
        # answer; it reads this nowhere else, for layers have an attribute of their own
        self.cross_self_attention = True

    def build_decoder_layer(self, cfg: TransformerConfig, no_encoder_attn: bool = False) -> CausalDecoderLayer:
        return CausalDecoderLayer(cfg, no_encoder_attn)

    def buffered_future_mask(self, tensor: Tensor) -> Tensor:
        """Mask (U, U) of what is still to come for a tensor (U, B, D)."""
        return fill_with_neg_inf(tensor.new_empty(len(tensor), len(tensor))).triu(1)
