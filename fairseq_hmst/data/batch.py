"""Examples and batches as fairseq passes them around, and the rows that they come from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, NotRequired, Protocol, TypedDict, TypeVar

import numpy as np
import torch
from torch import Tensor

from .views import SecondView

RowTokens = TypeVar("RowTokens", covariant=True)
Value = TypeVar("Value")


class TokenRows(Protocol, Generic[RowTokens]):
    """Rows of tokens, such as an indexed dataset of fairseq; each row is an int64 tensor that ends with eos."""

    @property
    def sizes(self) -> np.ndarray:
        """Number of tokens of each row, (N,)."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> RowTokens: ...


class StreamExample(TypedDict):
    """One example of a dataset.

    Attributes:
        id: its row, counted through all streams.
        origin: files of its stream and its row there, such as `DATA_BIN/test.st:7`; "" where it comes from no file.
        stream: index into STREAM_NAMES.
        source: (T,) tokens.
        target: (U,) tokens; None where no translation is known.
        target_language: of an example without target.
        transcript: (S,) tokens, eos alone where it is not known; None in a stream without transcripts.
        twin: (T',) tokens of its text twin; None where it has none.
        second: its second view; None where there is but one.
        twin_second: that of the twin.
    """

    id: int
    origin: str
    stream: int
    source: Tensor
    target: Tensor | None
    target_language: str | None
    transcript: Tensor | None
    twin: Tensor | None
    second: SecondView | None
    twin_second: SecondView | None


class NetInput(TypedDict):
    """Arguments of a model.

    Attributes:
        src_tokens: (B, T), padded on the right.
        src_lengths: (B,).
        prev_output_tokens: (B, U) for the decoder; fairseq-interactive's batches lack it.
        prefix_tokens: (B, L) labels that fairseq's search forces, end of sentence where none; for its ensemble.
    """

    src_tokens: Tensor
    src_lengths: Tensor
    prev_output_tokens: NotRequired[Tensor]
    prefix_tokens: NotRequired[Tensor]


@dataclass(frozen=True)
class OnHost:
    """A batch as it was made, which stays on the CPU.

    fairseq sends all tensors to the GPU that it finds in a batch and in dictionaries and lists there, and does not look
    in here. Thus the host knows labels and lengths without waiting for the GPU.
    """

    batch: "Batch"


class Batch(TypedDict):
    """One batch of B examples and text twins, as `collate` makes it; `id`, `net_input` and `target` are fairseq's.

    Attributes:
        id: (B,) rows of the examples; a twin has that of its example.
        net_input: of the model.
        origin: B origins of the examples; a twin has that of its example.
        stream: (B,) indices into STREAM_NAMES.
        twin: (B,) the row of each one's text twin, -1 where it has none.
        nsentences: B.
        ntokens: target tokens; without targets, source tokens.
        target: (B, U) what the decoder must write; None without targets, and then labels and transcripts are not there.
        labels: (B, U') targets without language symbol and eos.
        label_lengths: (B,).
        transcript: (B, S) without eos.
        transcript_lengths: (B,), -1 where none is known.
        second_view: inputs of the second view, where examples have two.
        shared_steps: (B, N, 2) tokens of both views that have a part in common, -1 behind the last.
        on_host: the same batch, which stays on the CPU.
    """

    id: Tensor
    net_input: NetInput
    origin: NotRequired[list[str]]
    stream: NotRequired[Tensor]
    twin: NotRequired[Tensor]
    nsentences: NotRequired[int]
    ntokens: NotRequired[int]
    target: NotRequired[Tensor | None]
    labels: NotRequired[Tensor]
    label_lengths: NotRequired[Tensor]
    transcript: NotRequired[Tensor]
    transcript_lengths: NotRequired[Tensor]
    second_view: NotRequired[NetInput]
    shared_steps: NotRequired[Tensor]
    on_host: NotRequired[OnHost]


def rows_of(value: Value, rows: Tensor) -> Value:
    """Some rows of a batch, or of options of a search.

    Args:
        value: a tensor (B, ...) or list of B items, or a dictionary of such; other values stay as they are.
        rows: (B,) bool, on the CPU.
    """
    if isinstance(value, dict):
        return {name: rows_of(item, rows) for name, item in value.items()}  # type: ignore[return-value]
    if isinstance(value, list):
        return [item for item, is_chosen in zip(value, rows.tolist(), strict=True) if is_chosen]  # type: ignore[return-value]
    return value[rows] if isinstance(value, Tensor) else value  # type: ignore[return-value]


def single_rows(num_rows: int) -> Iterator[Tensor]:
    """Choices of one row after the other, (num_rows,) bool each, for `rows_of`."""
    yield from torch.eye(num_rows, dtype=torch.bool)
