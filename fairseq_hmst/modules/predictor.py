"""Prediction networks of the transducer: what has been emitted so far, without a look at the source.

Both kinds share one interface. `forward` serves training: position u of its output has seen the start label and the
first u labels. `initial_state` and `step` serve the search, one label at a time; a state is a tuple of tensors with one
row a hypothesis, so that a search can select and reorder hypotheses by row.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

PredictorState = tuple[Tensor, ...]  # each (N, ...)


class LSTMPredictor(nn.Module):
    """Embedding and LSTM (Graves 2012, arXiv:1211.3711): every position has seen all labels before it.

    Args:
        num_labels: V of the output dictionary.
        padding_index: id of padding, whose embedding stays zero.
        start_label: label before the first, which is the blank.
        width: P of embeddings, of every layer and of the output.
        dropout: probability on embeddings and on the output of every layer.
        layers: LSTM layers.

    Raises:
        ValueError: layers is below 1.
    """

    def __init__(
        self, num_labels: int, padding_index: int, start_label: int, width: int, dropout: float, layers: int = 1
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"--predictor-layers must be at least 1, got {layers}")
        self.start_label = start_label
        self.embedding = nn.Embedding(num_labels, width, padding_index)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)

    def forward(self, labels: Tensor) -> Tensor:
        """Outputs (B, U + 1, P) of labels (B, U)."""
        return self.dropout(self.lstm(self.dropout(self.embedding(_with_start(labels, self.start_label))))[0])

    def initial_state(self, num_hypotheses: int) -> PredictorState:
        """The state before the start label, for N hypotheses: hidden and cell, each (N, layers, P)."""
        zeros = self.embedding.weight.new_zeros(num_hypotheses, self.lstm.num_layers, self.lstm.hidden_size)
        return zeros, zeros

    def step(self, labels: Tensor, state: PredictorState) -> tuple[Tensor, PredictorState]:
        """Output (N, P) after the next labels (N,), the start label first, and the state after them."""
        # LSTM wants its states (layers, N, P)
        hidden, cell = (tensor.transpose(0, 1).contiguous() for tensor in state)
        output, (hidden, cell) = self.lstm(self.dropout(self.embedding(labels.unsqueeze(1))), (hidden, cell))
        return self.dropout(output.squeeze(1)), (hidden.transpose(0, 1), cell.transpose(0, 1))


class StatelessPredictor(nn.Module):
    """Embedding and a depthwise convolution over the last `context` labels.

    Ghodsi et al. 2020, "Rnn-Transducer with Stateless Prediction Network", with ReLU as in icefall.

    Args:
        num_labels: V of the output dictionary.
        padding_index: id of padding, whose embedding stays zero.
        start_label: label before the first, which is the blank.
        width: P of embeddings and of the output.
        dropout: probability on embeddings and on the output.
        context: labels that a position sees; before the first label all are the start label.

    Raises:
        ValueError: context is below 1.
    """

    def __init__(
        self, num_labels: int, padding_index: int, start_label: int, width: int, dropout: float, context: int = 2
    ) -> None:
        super().__init__()
        if context < 1:
            raise ValueError(f"--predictor-context must be at least 1, got {context}")
        self.context = context
        self.start_label = start_label
        self.embedding = nn.Embedding(num_labels, width, padding_index)
        self.dropout = nn.Dropout(dropout)
        self.convolution = nn.Conv1d(width, width, context, groups=width)

    def forward(self, labels: Tensor) -> Tensor:
        """Outputs (B, U + 1, P) of labels (B, U)."""
        (before,) = self.initial_state(len(labels))
        return self._convolve(torch.cat([before, _with_start(labels, self.start_label)], 1))

    def initial_state(self, num_hypotheses: int) -> PredictorState:
        """The state before the start label, for N hypotheses: the last context - 1 labels (N, context - 1)."""
        shape = (num_hypotheses, self.context - 1)
        return (torch.full(shape, self.start_label, device=self.embedding.weight.device),)

    def step(self, labels: Tensor, state: PredictorState) -> tuple[Tensor, PredictorState]:
        """Output (N, P) after the next labels (N,), the start label first, and the state after them."""
        seen = torch.cat([state[0], labels.unsqueeze(1)], 1)
        return self._convolve(seen).squeeze(1), (seen[:, 1:],)

    def _convolve(self, labels: Tensor) -> Tensor:
        embedded = self.dropout(self.embedding(labels)).transpose(1, 2)  # (N, length, P) -> (N, P, length)
        return self.dropout(self.convolution(embedded).relu().transpose(1, 2))


def _with_start(labels: Tensor, start_label: int) -> Tensor:
    return nn.functional.pad(labels, (1, 0), value=start_label)


PREDICTORS: dict[str, Callable[..., LSTMPredictor | StatelessPredictor]] = {
    "lstm": LSTMPredictor,
    "stateless": StatelessPredictor,
}
