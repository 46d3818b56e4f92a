"""Positions as Marian counts them, beside those of fairseq: learned ones, and sinusoids that begin at 2."""

import math

import torch
from torch import Tensor, nn

MAX_POSITIONS = int(1e5)  # no limit, as fairseq's sinusoids have none
TABLE_SIZE = 1024  # positions that are computed once; longer sequences compute theirs


class MarianPositions(nn.Module):
    """Sinusoids of the positions 0, 1, 2, ...

    The wave of dimension pair i has the angle position / 10000^(2i / D), sines in the first half of the width (one more
    of them where it is odd) and cosines in the second (Junczys-Dowmunt et al. 2018, arXiv:1804.00344).

    Args:
        width: D.
    """

    table: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.max_positions = MAX_POSITIONS  # what fairseq's encoder and decoder read
        self.register_buffer("table", marian_sinusoids(TABLE_SIZE, width), persistent=False)

    def forward(self, tokens: Tensor, incremental_state: object | None = None) -> Tensor:
        """Positions (B, T, D) of tokens (B, T); of the last token alone (B, 1, D) in incremental decoding."""
        number, length = tokens.shape
        table = self.table
        if length > len(table):
            table = marian_sinusoids(length, self.width).to(table)
        first = 0 if incremental_state is None else length - 1
        return table[first:length].expand(number, length - first, self.width)


def marian_sinusoids(number: int, width: int) -> Tensor:
    """Table (number, width) of the positions 0 to number - 1; see MarianPositions."""
    num_sines = (width + 1) // 2
    waves = torch.exp(torch.arange(num_sines, dtype=torch.float64) * (-2 * math.log(10000) / width))
    angles = torch.arange(number, dtype=torch.float64).unsqueeze(1) * waves
    return torch.cat([angles.sin(), angles[:, : width // 2].cos()], dim=1).float()
