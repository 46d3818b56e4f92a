"""Examples of one stream of one split, as rows of tokens: from the files of a data-bin, and as they vary by epoch."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from fairseq.data import data_utils
from torch import Tensor

from .batch import TokenRows
from .data_bin import DataBin, DataBinError
from .twins import TextTranscripts, TextTwins
from .variation.draws import Draws

STREAM_NAMES = ("st", "mt")


class Variation(Protocol):
    """A way in which the rows of a stream differ from epoch to epoch."""

    def of_epoch(self, stream: "StreamRows", draws: Draws) -> "StreamRows":
        """The rows of a stream in an epoch and a view, which depend on `draws` alone."""
        ...


@dataclass
class StreamRows:
    """The examples of one stream, as parallel rows of int64 tokens; each row ends with eos.

    Attributes:
        name: `st` or `mt`.
        sources: unit subwords, or repeated source-text subwords, in ids of the joint input dictionary, with the
            language symbol that the encoder wants.
        targets: target subwords, after their language symbol where there are any; None where no translation is known
            (inference).
        transcripts: source-text subwords, not repeated; eos alone where an example has none; None if none has.
        target_language: of examples without targets; not read where there are no language symbols.
        prefix: of its files, such as DATA_BIN/test.st; None where it comes from none.
        twins: sources of text twins (TextTwins), None where an example has none; None if none has. An example with a
            twin is two rows of a batch, of which the twin belongs to the stream mt.
        variations: ways in which rows differ from epoch to epoch, one applied after the other.
        max_lengths: tokens of the longest source and of the longest target that a training takes. A variation keeps to
            them, and to the longest rows within them.
        used: (U,) rows that an epoch trains on, once each; None: all. A variation may leave others as they are.
    """

    name: str
    sources: TokenRows[Tensor]
    targets: TokenRows[Tensor] | None = None
    transcripts: TokenRows[Tensor] | None = None
    target_language: str | None = None
    twins: TextTwins | None = None
    prefix: Path | None = None
    variations: Sequence[Variation] = ()
    max_lengths: tuple[float, float] = (math.inf, math.inf)
    used: np.ndarray | None = None

    def __post_init__(self) -> None:
        for kind in ("targets", "transcripts", "twins"):
            rows = getattr(self, kind)
            if rows is not None and len(rows) != len(self.sources):
                raise DataBinError(f"stream {self.name}: {len(self.sources)} sources but {len(rows)} {kind}")

    @property
    def number(self) -> int:
        """Index into STREAM_NAMES."""
        return STREAM_NAMES.index(self.name)

    def of_epoch(self, draws: Draws, used: np.ndarray | None = None) -> "StreamRows":
        """The rows as an epoch has them, in one view; `used` are those that it trains on, None: all."""
        found = replace(self, used=used) if self.variations else self
        for variation in self.variations:
            found = variation.of_epoch(found, draws)
        return found


def stream_named(name: str, streams: Iterable[StreamRows]) -> StreamRows | None:
    """The stream of a name; None where it is not among `streams`."""
    return next((stream for stream in streams if stream.name == name), None)


def load_stream(data_bin: DataBin, split: str, name: str) -> StreamRows:
    """Memory-map one stream of one split, once its files were compared with the data-bin's card.

    Raises:
        DataBinError: the data-bin has no such stream in this split, and the message lists what there is; or its files
            were cut or changed.
    """
    prefix = data_bin.stream_prefix(split, name)
    files = data_bin.token_files(split, name)
    data_bin.compare(files)

    def load(side: str) -> TokenRows[Tensor] | None:
        if f"{split}.{name}.{side}.idx" not in files:
            return None
        return data_utils.load_indexed_dataset(f"{prefix}.{side}", dictionary=None, dataset_impl="mmap")

    sources, targets, transcripts = load("src"), load("tgt"), load("transcript")
    if sources is None or targets is None:
        found = sorted(f"{split}.{stream}" for split, streams in data_bin.card.counts.items() for stream in streams)
        raise DataBinError(f"{data_bin.path} has no stream '{split}.{name}'; it has: {', '.join(found) or 'none'}")
    if name == "mt":
        transcripts = TextTranscripts(sources, data_bin.card.repeat, data_bin.language_symbols)
    return StreamRows(name, sources, targets, transcripts, prefix=prefix)
