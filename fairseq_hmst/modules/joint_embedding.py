"""Embedding of the joint input dictionary in two tables: text, shared with the decoder, and speech units."""

import torch
from fairseq.data import Dictionary
from torch import Tensor, nn


class JointEmbedding(nn.Module):
    """Embedding in two tables: text pieces, which the decoder shares, and unit subwords.

    Args:
        text: (V, D) table of the output dictionary; ids 0..V-1 of the input dictionary are the same pieces.
        num_units: K; ids V..V+K-1 of the input dictionary are the unit subwords.
    """

    def __init__(self, text: nn.Embedding, num_units: int) -> None:
        super().__init__()
        self.text = text
        self.units = nn.Embedding(num_units, text.embedding_dim)
        nn.init.normal_(self.units.weight, std=text.embedding_dim**-0.5)
        self.embedding_dim = text.embedding_dim  # these two are what fairseq's encoder reads of an nn.Embedding
        self.padding_idx = text.padding_idx

    def forward(self, tokens: Tensor) -> Tensor:
        """Embedding of ids (B, T) of the joint input dictionary, (B, T, D)."""
        unit_index = tokens - self.text.num_embeddings
        is_unit = unit_index >= 0
        # both tables are read for every batch, so that both have a gradient on every worker
        text = self.text(tokens.masked_fill(is_unit, 0))
        return torch.where(is_unit.unsqueeze(-1), self.units(unit_index.clamp(min=0)), text)


def check_is_prefix(target: Dictionary, source: Dictionary) -> None:
    """Refuse dictionaries whose text pieces do not have the same ids in both.

    Raises:
        ValueError: the output dictionary is not the beginning of the input dictionary.
    """
    if source.symbols[: len(target)] != target.symbols or len(source) == len(target):
        raise ValueError(
            "shared embeddings need an input dictionary that begins with the whole output dictionary and goes on with "
            f"the unit subwords; the output dictionary has {len(target)} types, the input dictionary {len(source)}"
        )
