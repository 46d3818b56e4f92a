"""The attention decoder: fairseq's Transformer decoder, which asks nothing of a GPU and remembers nothing."""

from collections.abc import Collection

import torch
from fairseq.data import Dictionary
from fairseq.models.transformer import TransformerConfig, TransformerDecoderBase
from fairseq.modules.transformer_layer import TransformerDecoderLayerBase
from fairseq.utils import fill_with_neg_inf
from torch import Tensor, nn

from .unit_encoder import with_swish


class CausalDecoderLayer(TransformerDecoderLayerBase):
    """fairseq's decoder layer, whose self-attention needs no mask of padding.

    Targets are padded on the right, where no token of a sentence looks.
    """

    def forward(
        self, x: Tensor, *inputs: object, self_attn_padding_mask: Tensor | None = None, **options: object
    ) -> tuple[Tensor, Tensor | None, None]:
        """Apply the layer to (U, B, D); all but the mask of padding as in fairseq."""
        return super().forward(x, *inputs, **options)


class PaddedStartEmbedding(nn.Embedding):
    """An embedding in which the tokens that a decoder starts from have the row of <pad>.

    Marian's decoders start so.

    Args:
        embedding: (V, D) table, whose parameter this one has.
        start_ids: tokens that only come before a sentence: </s>, or language symbols.
    """

    start_ids: Tensor

    def __init__(self, embedding: nn.Embedding, start_ids: Collection[int]) -> None:
        self._padding_id = int(embedding.padding_idx or 0)
        super().__init__(len(embedding.weight), embedding.embedding_dim, self._padding_id, _weight=embedding.weight)
        self.weight = embedding.weight  # the parameter itself, not another of the same values
        self.register_buffer("start_ids", torch.tensor(sorted(start_ids)), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Embedding (B, U, D) of what the decoder reads, (B, U)."""
        return super().forward(tokens.masked_fill(torch.isin(tokens, self.start_ids), self._padding_id))


class AttentionDecoder(TransformerDecoderBase):
    """fairseq's Transformer decoder, which several threads may use: it keeps no mask of the sequence before.

    Args:
        config: fairseq's configuration.
        dictionary: the output dictionary.
        embedding: of its ids, of the input, and of the output unless the configuration says otherwise.
        output_bias: whether the output has a bias of each type.
    """

    def __init__(
        self, config: TransformerConfig, dictionary: Dictionary, embedding: nn.Embedding, output_bias: bool = False
    ) -> None:
        super().__init__(config, dictionary, embedding)
        if output_bias:
            self.output_projection.bias = nn.Parameter(torch.zeros(len(dictionary)))
        # fairseq then makes a mask of padding without asking first whether there is any, which a GPU would have to
        # answer; it reads this nowhere else, for layers have an attribute of their own
        self.cross_self_attention = True

    def build_decoder_layer(self, cfg: TransformerConfig, no_encoder_attn: bool = False) -> CausalDecoderLayer:
        layer = CausalDecoderLayer(cfg, no_encoder_attn)
        with_swish(layer, cfg)
        return layer

    def buffered_future_mask(self, tensor: Tensor) -> Tensor:
        """Mask (U, U) of what is still to come for a tensor (U, B, D)."""
        return fill_with_neg_inf(tensor.new_empty(len(tensor), len(tensor))).triu(1)
