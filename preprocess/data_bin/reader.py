"""A finished data-bin, read back: the token ids of its streams, and their symbols."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import MismatchError
from ..files.cards.data_bin_card import DataBinCard, StreamEntry
from ..files.origin import Origin, read_origins
from ..files.units import text_to_units
from ..vocabulary.dictionary import EOS_INDEX, SPECIAL_SYMBOLS
from ..vocabulary.models import Subwords
from .writer import load_indexed_dataset

if TYPE_CHECKING:
    from fairseq.data.indexed_dataset import MMapIndexedDataset

CHUNK_EXAMPLES = 2000


class DataBinReader:
    """One data-bin, checked against its card.

    Attributes:
        path: the folder.
        card: the content of its card.json.
        subwords: its SentencePiece models.
        source_symbols, target_symbols: what each id stands for, special symbols included.
        unit_pieces, text_pieces: ids of unit pieces and of source-text pieces in the input dictionary.
    """

    def __init__(self, path: Path) -> None:
        """Open a data-bin.

        Raises:
            CardError: the folder is no finished data-bin, or was written by another version.
            MismatchError: any file has changed, a stream too.
        """
        self.path = path
        self.card = DataBinCard.read(path)
        self.card.check_hashes(path)
        self.subwords = Subwords.load(path / "subwords")
        self.source_symbols, self.target_symbols = (_read_symbols(path / f"dict.{side}.txt") for side in ("src", "tgt"))
        ids = self.card.dictionary
        self.unit_pieces = range(ids.first_unit_subword, ids.first_unit_subword + ids.unit_subwords)
        self.text_pieces = range(ids.first_source_subword, ids.first_source_subword + ids.source_subwords)

    @property
    def language_symbols(self) -> dict[str, str]:
        """Language by symbol; empty where the streams have no language symbols."""
        entry = self.card.language_symbols
        return {symbol: language for language, symbol in entry.symbols.items()} if entry else {}

    @cached_property
    def units_of_pieces(self) -> list[list[int]]:
        """The units that each unit piece stands for."""
        return [text_to_units(self.source_symbols[piece]) for piece in self.unit_pieces]

    def is_token(self, side: str) -> np.ndarray:
        """Mask of pieces and <unk>, (V,) bool. </s> and language symbols are False; `side` is source or target."""
        symbols = self.source_symbols if side == "source" else self.target_symbols
        is_token = np.array([symbol not in self.language_symbols for symbol in symbols])
        is_token[EOS_INDEX] = False
        return is_token

    def streams(self) -> Iterator["Stream"]:
        """All streams, in the order of the card."""
        for split, streams in self.card.counts.items():
            for name in streams:
                yield Stream(self, split, name)


@dataclass(frozen=True)
class Stream:
    """The speech stream (st) or text stream (mt) of one split."""

    data_bin: DataBinReader
    split: str
    name: str

    @property
    def counts(self) -> StreamEntry:
        """Entry of the stream in the card."""
        return self.data_bin.card.counts[self.split][self.name]

    @property
    def sides(self) -> tuple[str, ...]:
        """Its files: source, target, and transcript where it has them."""
        has_transcripts = f"{self.split}.{self.name}.transcript.idx" in self.data_bin.card.hashes
        return ("source", "target", "transcript") if has_transcripts else ("source", "target")

    def read(self, side: str, indices: Sequence[int]) -> list[np.ndarray]:
        """Token ids of some examples, as they are stored.

        Raises:
            MismatchError: a file is missing, cut short, or has not as many examples as the card says.
        """
        dataset = self._datasets[side]
        try:
            return [dataset[index].numpy() for index in indices]
        except (ValueError, IndexError) as error:
            raise MismatchError(f"{self._prefix(side)}.bin has changed since it was made: {error}") from error

    def chunks(self, side: str) -> Iterator[list[np.ndarray]]:
        """Token ids of all examples, some thousand at a time; raises as `read` does."""
        for begin in range(0, self.counts.examples, CHUNK_EXAMPLES):
            yield self.read(side, range(begin, min(begin + CHUNK_EXAMPLES, self.counts.examples)))

    def origins(self) -> Iterator[Origin]:
        """Origins of all examples, in their order.

        Raises:
            MismatchError: the table is not in its form, or has not as many lines as there are examples.
        """
        number = 0
        for number, origin in enumerate(read_origins(self._origin_path), start=1):
            if number <= self.counts.examples:
                yield origin
        if number != self.counts.examples:
            raise MismatchError(
                f"has changed since it was made: the card says {self.counts.examples} examples, found {number}",
                place=self._origin_path,
                advice="make the data-bin again",
            )

    def ids(self, indices: Sequence[int]) -> list[str]:
        """Ids of some examples, read up to the last of them."""
        if not indices:
            return []
        wanted, last = set(indices), max(indices)
        found = {index: origin.id for index, origin in enumerate(islice(self.origins(), last + 1)) if index in wanted}
        return [found[index] for index in indices]

    @cached_property
    def _datasets(self) -> dict[str, "MMapIndexedDataset"]:
        datasets = {}
        for side in self.sides:
            prefix = self._prefix(side)
            if not all(Path(f"{prefix}.{suffix}").is_file() for suffix in ("bin", "idx")):
                raise MismatchError(
                    f"{prefix}.bin or .idx is missing, though the card counts it",
                    advice="make it again",
                )
            datasets[side] = load_indexed_dataset().make_dataset(prefix, impl="mmap")
            if len(datasets[side]) != self.counts.examples:
                raise MismatchError(
                    f"{prefix}.idx has changed since it was made: the card says {self.counts.examples} examples, "
                    f"found {len(datasets[side])}",
                    advice="make the data-bin again",
                )
        return datasets

    @property
    def _origin_path(self) -> Path:
        return Path(self._prefix("origin") + ".tsv")

    def _prefix(self, side: str) -> str:
        kind = {"source": "src", "target": "tgt"}.get(side, side)
        return f"{self.data_bin.path}/{self.split}.{self.name}.{kind}"


def _read_symbols(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [*SPECIAL_SYMBOLS, *(line.split(" ")[0] for line in lines)]
