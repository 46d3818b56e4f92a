"""External text for the text stream of train: what is left out of each corpus, and how often the rest is written.

Reading it is `text_corpus`. Every corpus is read twice: first to find its faults and to count, then to be written.
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .card import hash_file
from .corpora.filters import Filters
from .errors import ManifestError, PreprocessError
from .languages import Languages
from .pair_filter import LIMITS, PairFilter
from .splits import Split
from .text import TextPair, normalise_text
from .text_corpus import find_corpora, read_pairs


def add_external_text_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of external text."""
    group = parser.add_argument_group("external text, for train only")
    group.add_argument(
        "--mt-text",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="corpora: pairs of plain files SRC TGT, line n a translation of line n; *.tmx or *.tmx.gz; or *.tsv with "
        "a header src_text, tgt_text and perhaps src_lang, tgt_lang. Where the data has several target languages, "
        "plain files are named *.de and the like",
    )
    group.add_argument(
        "--mt-ratio",
        type=float,
        nargs="+",
        metavar="R",
        help="how often each corpus is written, one number a corpus: 2 = twice, 0.5 = half of its pairs, drawn; "
        "default: once",
    )
    group.add_argument("--mt-seed", type=int, default=0, help="of the drawing for --mt-ratio; default %(default)s")
    for name, (kind, meaning) in LIMITS.items():
        group.add_argument(f"--mt-{name.replace('_', '-')}", type=kind, metavar="N", help=f"leave out pairs {meaning}")
    group.add_argument(
        "--mt-keep-overlap",
        action="store_true",
        help="keep pairs whose source or target text also stands in dev or test; scores on these are then worth little",
    )


class ExternalCorpus:
    """One corpus: iterating gives the pairs to be written, the same at each time."""

    def __init__(
        self, files: Sequence[Path], languages: Languages, pair_filter: PairFilter, ratio: float, seed: Sequence[int]
    ) -> None:
        """Read the corpus once, check it, count, and draw.

        Raises:
            ManifestError: the corpus is not in its form, or no pair is left of it.
        """
        from tqdm import tqdm

        self.files, self.ratio = files, ratio
        self.num_pairs = 0
        self.dropped: Counter[str] = Counter()
        self.num_written: Counter[str] = Counter()  # by target language
        self._languages, self._filter = languages, pair_filter
        kept_languages = []
        for pair in tqdm(read_pairs(files, languages), desc=f"read {self.name}", unit=" pairs"):
            self.num_pairs += 1
            if reason := pair_filter.reason_to_drop(pair):
                self.dropped[reason] += 1
            else:
                kept_languages.append(pair.target_language)
        self._check_not_empty()
        self._times = draw_times(len(kept_languages), ratio, np.random.default_rng(seed))
        for language, times in zip(kept_languages, self._times, strict=True):
            self.num_written[language] += int(times)

    @property
    def name(self) -> str:
        """File names without folders."""
        return " ".join(path.name for path in self.files)

    def __iter__(self) -> Iterator[TextPair]:
        pairs = read_pairs(self.files, self._languages)
        kept = (pair for pair in pairs if not self._filter.reason_to_drop(pair))
        for pair, times in zip(kept, self._times, strict=True):
            for _ in range(times):
                yield pair

    def card_entry(self) -> dict[str, Any]:
        """What a data-bin's card says of it."""
        return {
            "files": [{"name": path.name, "sha256": hash_file(path)} for path in self.files],
            "ratio": self.ratio,
            "pairs": self.num_pairs,
            "dropped": dict(sorted(self.dropped.items())),
            "written": dict(sorted(self.num_written.items())),
            "limits": self._filter.limits,
        }

    def _check_not_empty(self) -> None:
        if self.num_pairs > self.dropped.total():
            return
        reasons = ", ".join(f"{number} {reason}" for reason, number in self.dropped.items()) or "it holds none"
        raise ManifestError(
            f"{' '.join(map(str, self.files))}: no pair of {self.num_pairs} is left: {reasons} (expected "
            f"{', '.join(self._languages.source)} to {', '.join(self._languages.target)})"
        )


def load_external_text(
    arguments: argparse.Namespace, splits: Sequence[Split], languages: Languages
) -> list[ExternalCorpus]:
    """The corpora that the options name, for a data-bin of these splits and languages.

    Raises:
        PreprocessError: an option is out of its range, or has no effect.
        ManifestError: there is no train; or see `ExternalCorpus` and `text_corpus.find_corpora`.
    """
    corpora = find_corpora(arguments.mt_text)
    limits = {name: getattr(arguments, f"mt_{name}") for name in LIMITS}
    given = [arguments.mt_ratio, arguments.mt_keep_overlap or None, *limits.values()]
    if not corpora and any(value is not None for value in given):
        raise PreprocessError("options of external text are given, but no --mt-text")
    if corpora and splits[0].name != "train":
        raise ManifestError(f"--mt-text goes into train, but there is no train.tsv in {splits[0].manifest.parent}")
    ratios = _check_ratios(arguments.mt_ratio, corpora)
    unwanted = frozenset[str]() if arguments.mt_keep_overlap else evaluation_texts(splits)
    rows = [row for split in splits for row in split.utterances]
    pair_filter = PairFilter(unwanted, **limits, target_per_source=Filters().fitted(rows).target_per_source)
    return [
        ExternalCorpus(files, languages, pair_filter, ratio, (arguments.mt_seed, index))
        for index, (files, ratio) in enumerate(zip(corpora, ratios, strict=True))
    ]


def evaluation_texts(splits: Sequence[Split]) -> frozenset[str]:
    """Source and target texts of all splits but train, normalised."""
    rows = [row for split in splits if split.name != "train" for row in split.utterances]
    return frozenset(normalise_text(text) for row in rows for text in (row.src_text, row.tgt_text)) - {""}


def _check_ratios(ratios: Sequence[float] | None, corpora: Sequence[Sequence[Path]]) -> Sequence[float]:
    if ratios is None:
        return [1.0] * len(corpora)
    if len(ratios) != len(corpora):
        names = "; ".join(" ".join(path.name for path in files) for files in corpora)
        raise PreprocessError(f"--mt-ratio needs one number a corpus: got {len(ratios)} for {len(corpora)} ({names})")
    for ratio in ratios:
        if not (math.isfinite(ratio) and ratio > 0):
            raise PreprocessError(f"--mt-ratio must be above 0, got {ratio}; leave out a corpus that is not wanted")
    return ratios


def draw_times(num_pairs: int, ratio: float, generator: np.random.Generator) -> np.ndarray:
    """How often each pair is written, (num_pairs,) int64: at 2.5 all twice, and half of them, drawn, once more."""
    times = np.full(num_pairs, math.floor(ratio))
    num_more = round(num_pairs * (ratio - math.floor(ratio)))
    times[generator.choice(num_pairs, num_more, replace=False)] += 1
    return times
