"""Examples and batches as fairseq passes them around, and the rows that they come from."""

from dataclasses import dataclass
from typing import Generic, NotRequired, Protocol, TypedDict, TypeVar

import numpy as np
from torch import Tensor

from .views import SecondView

RowTokens = TypeVar("RowTokens", covariant=True)


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
    """One batch, as `MixedStreams.collater` makes it and describes it."""

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
