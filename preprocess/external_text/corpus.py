"""External text for the text stream of train: each corpus filtered, counted and drawn.

Reading it is `text_corpus`. Every corpus is read twice: first to find its faults and to count, then to be written.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import ManifestError, PreprocessError
from ..files.cards.data_bin_card import ExternalTextEntry, TextFile
from ..files.cards.manifest_cards import check_manifest
from ..files.faults import Fault
from ..files.hashing import hash_file
from ..files.languages import Languages
from ..files.program.options import option
from ..files.program.progress import count_progress
from ..files.splits import Split
from ..files.text import TextPair, UsualLengths, normalise_text
from .filter import GROUP, PairFilter, PairLimits
from .reading import find_corpora, read_pairs

AT_FAULT = "cannot be read"  # why pairs are dropped


@dataclass(frozen=True)
class ExternalTextOptions:
    """Options of external text."""

    mt_text: tuple[Path, ...] = option(
        "corpora: pairs of plain files SRC TGT, line n a translation of line n; *.tmx; or *.tsv with a header "
        "src_text, tgt_text and perhaps src_lang, tgt_lang; all of them may be *.gz. Where the data has several "
        "target languages, plain files are named *.de and the like",
        (),
        metavar="FILE",
        group=GROUP,
    )
    mt_ratio: tuple[float, ...] | None = option(
        "times that each corpus is written, one number a corpus: 2 = twice, 0.5 = half of its pairs, drawn; "
        "default: once",
        None,
        metavar="R",
        group=GROUP,
    )
    mt_seed: int = option("of the drawing for --mt-ratio", 0, group=GROUP)
    limits: PairLimits = field(default_factory=PairLimits)
    mt_keep_overlap: bool = option(
        "keep pairs whose source or target text also stands in dev or test; scores on these are then worth little",
        False,
        group=GROUP,
    )

    def __post_init__(self) -> None:
        """Check that the options go together.

        Raises:
            PreprocessError: an option is out of its range, or has no effect.
            ManifestError: a plain file is without its partner.
        """
        given = [self.mt_ratio, self.mt_keep_overlap or None, self.limits.given or None]
        if not self.mt_text and any(value is not None for value in given):
            raise PreprocessError("options of external text are given, but no --mt-text")
        _check_ratios(self.mt_ratio, self.corpora)

    @property
    def corpora(self) -> list[tuple[Path, ...]]:
        """Files of each corpus."""
        return find_corpora(self.mt_text)

    @property
    def ratios(self) -> Sequence[float]:
        """Times that each corpus is written."""
        return [1.0] * len(self.corpora) if self.mt_ratio is None else self.mt_ratio


class ExternalCorpus:
    """One corpus: iterating gives the pairs to be written, the same at each time."""

    def __init__(
        self, files: Sequence[Path], languages: Languages, pair_filter: PairFilter, ratio: float, seed: Sequence[int]
    ) -> None:
        """Read the corpus once, check it, count, and draw.

        Raises:
            ManifestError: the corpus is not in its form.
        """
        for path in files:
            check_manifest(path)
        self.files, self.ratio = files, ratio
        self.faults: list[Fault] = []  # lines, rows and units that cannot be read; they count as dropped
        self.num_pairs = 0
        self.dropped: Counter[str] = Counter()
        self.num_written: Counter[str] = Counter()  # by target language
        self._languages, self._filter = languages, pair_filter
        kept_languages = []
        for pair in count_progress(read_pairs(files, languages, self._add_fault), f"read {self.name}", " pairs"):
            self.num_pairs += 1
            if reason := pair_filter.reason_to_drop(pair):
                self.dropped[reason] += 1
            else:
                kept_languages.append(pair.target_language)
        if not self.faults:  # else what is at fault is told first
            self.check_not_empty()
        self._times = draw_times(len(kept_languages), ratio, np.random.default_rng(seed))
        for language, times in zip(kept_languages, self._times, strict=True):
            self.num_written[language] += int(times)

    @property
    def name(self) -> str:
        """File names without folders."""
        return " ".join(path.name for path in self.files)

    def __iter__(self) -> Iterator[TextPair]:
        pairs = read_pairs(self.files, self._languages, lambda error: None)  # told when it was read first
        kept = (pair for pair in pairs if not self._filter.reason_to_drop(pair))
        for pair, times in zip(kept, self._times, strict=True):
            for _ in range(times):
                yield pair

    def as_entry(self) -> ExternalTextEntry:
        """Entry of the corpus in a data-bin's card."""
        return ExternalTextEntry(
            files=tuple(TextFile(path.name, hash_file(path)) for path in self.files),
            ratio=self.ratio,
            pairs=self.num_pairs,
            dropped=dict(sorted(self.dropped.items())),
            written=dict(sorted(self.num_written.items())),
            limits=self._filter.limits.given,
        )

    def _add_fault(self, error: PreprocessError) -> None:
        location = error.places[0] if error.places else self.name
        self.faults.append(Fault.of(error, location, location))
        self.num_pairs += 1
        self.dropped[AT_FAULT] += 1

    def check_not_empty(self) -> None:
        """Check that a pair is left.

        Raises:
            ManifestError: there is none.
        """
        if self.num_pairs > self.dropped.total():
            return
        reasons = ", ".join(f"{number} {reason}" for reason, number in self.dropped.items()) or "it holds none"
        raise ManifestError(
            f"no pair of {self.num_pairs} is left: {reasons} (expected {', '.join(self._languages.source)} to "
            f"{', '.join(self._languages.target)})",
            place=" ".join(map(str, self.files)),
        )


def load_external_text(
    options: ExternalTextOptions, splits: Sequence[Split], languages: Languages
) -> list[ExternalCorpus]:
    """Read the corpora that the options name, for a data-bin of these splits and languages.

    Raises:
        ManifestError: there is no train; or see `ExternalCorpus`.
    """
    corpora = options.corpora
    if corpora and splits[0].name != "train":
        raise ManifestError(f"--mt-text goes into train, but there is no train.tsv in {splits[0].manifest.parent}")
    unwanted = frozenset[str]() if options.mt_keep_overlap else evaluation_texts(splits)
    rows = (row for split in splits for row in split.utterances)
    pair_filter = PairFilter(unwanted, options.limits, UsualLengths.of_pairs(row.text_pair for row in rows))
    return [
        ExternalCorpus(files, languages, pair_filter, ratio, (options.mt_seed, index))
        for index, (files, ratio) in enumerate(zip(corpora, options.ratios, strict=True))
    ]


def evaluation_texts(splits: Sequence[Split]) -> frozenset[str]:
    """Source and target texts of all splits but train, normalised."""
    rows = [row for split in splits if split.name != "train" for row in split.utterances]
    return frozenset(normalise_text(text) for row in rows for text in (row.src_text, row.tgt_text)) - {""}


def _check_ratios(ratios: Sequence[float] | None, corpora: Sequence[Sequence[Path]]) -> None:
    if ratios is None:
        return
    if len(ratios) != len(corpora):
        names = "; ".join(" ".join(path.name for path in files) for files in corpora)
        raise PreprocessError(f"--mt-ratio needs one number a corpus: got {len(ratios)} for {len(corpora)} ({names})")
    for ratio in ratios:
        if not (math.isfinite(ratio) and ratio > 0):
            raise PreprocessError(
                f"--mt-ratio must be above 0, got {ratio}",
                advice="leave out a corpus that is not wanted",
            )


def draw_times(num_pairs: int, ratio: float, generator: np.random.Generator) -> np.ndarray:
    """Number of times that each pair is written, (num_pairs,) int64.

    At a ratio of 2.5 all are written twice, and half of them, drawn, once more.
    """
    times = np.full(num_pairs, math.floor(ratio))
    num_more = round(num_pairs * (ratio - math.floor(ratio)))
    times[generator.choice(num_pairs, num_more, replace=False)] += 1
    return times
