"""CTC heads: from encoder states to label scores, for the translation or for the source transcript."""

from fairseq.modules import LayerNorm
from torch import Tensor, nn

# fairseq's <s>: no target or transcript contains it, so it serves as blank


class CTCHead(nn.Module):
    """A linear layer from encoder states to V labels.

    Args:
        width: D of the encoder.
        num_labels: V; label 0 is the blank.
        dropout: probability on the input, as before the decoder's layers.
        normalise: apply a LayerNorm first, for states taken from between pre-norm layers.
    """

    def __init__(self, width: int, num_labels: int, dropout: float, normalise: bool) -> None:
        super().__init__()
        self.layer_norm = LayerNorm(width) if normalise else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(width, num_labels)

    def forward(self, states: Tensor) -> Tensor:
        """Unnormalised scores (B, T, V) of encoder states (T, B, D)."""
        return self.projection(self.dropout(self.layer_norm(states))).transpose(0, 1)
