"""One stream of a split -> fairseq's .bin/.idx files, and the counts of it."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from ..files.origin import ORIGIN_COLUMNS, Origin
from ..files.program.fairseq_import import process_unchanged
from ..files.tokens.ctc_steps import needed_for_ctc
from ..vocabulary.dictionary import UNK_INDEX

if TYPE_CHECKING:
    from fairseq.data.indexed_dataset import MMapIndexedDatasetBuilder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Example:
    """Token ids of one example, each array with one </s>; source and target with `num_symbols` language symbols."""

    origin: Origin
    source: np.ndarray  # (T,) int64
    target: np.ndarray  # (U,) int64; the language symbol comes first
    target_text: str
    num_symbols: int  # 0 or 1
    transcript: np.ndarray | None = None  # (U',) int64; </s> alone: not known; None: a stream without transcripts
    is_altered: bool = False  # the pieces have no place for some character of its texts


@dataclass(frozen=True)
class Infeasible:
    """An example whose source is too short for a CTC of labels or transcript."""

    split: str
    stream: str
    name: str
    ctc: str  # "target" or "transcript"
    source_length: int
    needed: int


@dataclass
class StreamCounts:
    """Tokens are counted without </s> and language symbols."""

    examples: int = 0
    target_languages: Counter[str] = field(default_factory=Counter)
    source_tokens: int = 0
    target_tokens: int = 0
    transcripts: int = 0
    transcript_tokens: int = 0
    transcribed_source_tokens: int = 0  # of the examples that have a transcript
    unknown: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("source", "target", "transcript"), 0))
    first_unknown: str = ""
    infeasible: list[Infeasible] = field(default_factory=list)
    altered: list[int] = field(default_factory=list)  # numbers of examples
    first_altered: str = ""


class StreamWriter:
    """Writes FOLDER/SPLIT.STREAM.{src,tgt,transcript}.{bin,idx}, .origin.tsv, and text files unless the split is train.

    The text files are .ref.txt, the translations, and with several target languages .lang.txt, the language of each.
    Call `add` for every example, then `close`; it writes into a folder that only exists when all is whole.
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        stream: str,
        dictionary_sizes: tuple[int, int],
        has_transcripts: bool,
        has_target_languages: bool,
    ) -> None:
        self.split, self.stream = split, stream
        self.counts = StreamCounts()
        self._prefix = f"{folder}/{split}.{stream}"
        source_size, target_size = dictionary_sizes
        sizes = {"src": source_size, "tgt": target_size} | ({"transcript": source_size} if has_transcripts else {})
        self._builders = {kind: _make_builder(f"{self._prefix}.{kind}.bin", size) for kind, size in sizes.items()}
        texts = () if split == "train" else ("ref", "lang") if has_target_languages else ("ref",)
        self._texts: dict[str, list[str]] = {kind: [] for kind in texts}
        self._origins = open(f"{self._prefix}.origin.tsv", "w", encoding="utf-8", newline="\n")  # noqa: SIM115
        self._origins.write("\t".join(ORIGIN_COLUMNS) + "\n")

    def add(self, example: Example) -> None:
        """Append one example to all files and to the counts."""
        import torch

        self._builders["src"].add_item(torch.from_numpy(example.source))
        self._builders["tgt"].add_item(torch.from_numpy(example.target))
        if example.transcript is not None and "transcript" in self._builders:
            self._builders["transcript"].add_item(torch.from_numpy(example.transcript))
        for kind, lines in self._texts.items():
            lines.append(f"{example.target_text if kind == 'ref' else example.origin.target_language}\n")
        self._origins.write(example.origin.as_line())
        self._count(example)

    def close(self) -> StreamCounts:
        """Write the index files and return the counts."""
        self._origins.close()
        for kind, builder in self._builders.items():
            builder.finalize(f"{self._prefix}.{kind}.idx")
        for kind, lines in self._texts.items():
            Path(f"{self._prefix}.{kind}.txt").write_text("".join(lines), encoding="utf-8", newline="\n")
        return self.counts

    def _count(self, example: Example) -> None:
        counts = self.counts
        if example.is_altered:
            counts.first_altered = counts.first_altered or example.origin.id
            counts.altered.append(counts.examples)
        counts.examples += 1
        labels = example.target[example.num_symbols : -1]
        num_source_tokens = len(example.source) - 1 - example.num_symbols
        counts.target_languages[example.origin.target_language] += 1
        counts.source_tokens += num_source_tokens
        counts.target_tokens += len(labels)
        self._count_unknown(example, "source", example.source)
        self._count_unknown(example, "target", example.target)
        self._check_ctc(example, "target", labels)
        if example.transcript is not None and len(example.transcript) > 1:
            counts.transcripts += 1
            counts.transcript_tokens += len(example.transcript) - 1
            counts.transcribed_source_tokens += num_source_tokens
            self._count_unknown(example, "transcript", example.transcript)
            self._check_ctc(example, "transcript", example.transcript[:-1])

    def _count_unknown(self, example: Example, side: str, ids: np.ndarray) -> None:
        num_unknown = int(np.count_nonzero(ids == UNK_INDEX))
        if num_unknown and not self.counts.first_unknown:
            self.counts.first_unknown = f"{side} of {example.origin.id}"
        self.counts.unknown[side] += num_unknown

    def _check_ctc(self, example: Example, ctc: str, labels: np.ndarray) -> None:
        needed = needed_for_ctc(labels)
        if len(example.source) < needed:
            self.counts.infeasible.append(
                Infeasible(self.split, self.stream, example.origin.id, ctc, len(example.source), needed)
            )


def load_indexed_dataset() -> ModuleType:
    """fairseq's module of that name; importing it takes seconds."""
    with process_unchanged():
        from fairseq.data import indexed_dataset

    return indexed_dataset


def _make_builder(path: str, dictionary_size: int) -> "MMapIndexedDatasetBuilder":
    return load_indexed_dataset().make_builder(path, impl="mmap", vocab_size=dictionary_size)
