"""Scoring of systems: each language's sentences, each training, each comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .comet import DEFAULT_MODEL, CometOptions, comet_scores
from .comparison import compare_systems
from .corpus import score_corpus
from .errors import ScoreError
from .options import ScoreOptions
from .rows import ALL, METRICS, ScoreRow, TrainingsRow
from .table import ScoreTable
from .texts import References, read_hypotheses, read_lines
from .trainings import compare_trainings

Trainings = Sequence[str]  # names of one system's files


def score_systems(references: References, outputs: Sequence[Path], options: ScoreOptions | None = None) -> ScoreTable:
    """Score systems on all sentences and, where there are several languages, on those of each.

    Args:
        references: with languages or without.
        outputs: a file of hypotheses of each training of each system; the first system is the one that others are
            compared with.
        options: None: sacreBLEU's defaults, one training of each system, without COMET.

    Raises:
        ScoreError: files do not fit or cannot be read, a language is called "all", a system lacks a training, or COMET
            does not run.
    """
    options = options or ScoreOptions()
    systems = _systems([str(path) for path in outputs], options.trainings or 1)
    texts = {str(path): read_hypotheses(path, references) for path in outputs}
    comet = _comet(texts, references, options.comet)
    scoring = _Scoring(references, systems, texts, options, comet)
    rows: list[ScoreRow] = []
    trainings: list[TrainingsRow] = []
    for language, numbers in _languages(references).items():
        found = scoring.rows(language, numbers)
        rows += found.values()
        if options.trainings is not None:
            trainings += [_trainings_row(names, systems[0], found) for names in systems]
    return ScoreTable(references, rows, trainings, None if comet is None else options.comet.model or DEFAULT_MODEL)


def _systems(names: Sequence[str], trainings: int) -> list[Trainings]:
    if len(names) % trainings:
        raise ScoreError(f"--trainings {trainings}, but {len(names)} files of hypotheses: a system lacks a training")
    return [names[start : start + trainings] for start in range(0, len(names), trainings)]


@dataclass(frozen=True)
class _Scoring:
    """Hypotheses of all files, and which files belong together."""

    references: References
    systems: Sequence[Trainings]
    texts: Mapping[str, Sequence[str]]
    options: ScoreOptions
    comet: Mapping[str, Sequence[float]] | None

    def rows(self, language: str, numbers: Sequence[int]) -> dict[str, ScoreRow]:
        """The row of each file, from the sentences of these numbers."""
        lines = [self.references.lines[number] for number in numbers]
        languages = [self.references.language_of_lines[number] for number in numbers]
        found = {}
        for names in zip(*self.systems, strict=True):  # the same training of each system
            chosen = {name: [self.texts[name][number] for number in numbers] for name in names}
            certainties = compare_systems(chosen, lines, self.options.tokenize, self.options.resampling, languages)
            for name, hypotheses in chosen.items():
                score = score_corpus(hypotheses, lines, self.options.tokenize, languages)
                found[name] = ScoreRow(name, language, score, certainties[name], self._comet_of(name, numbers))
        return {name: found[name] for name in self.texts}

    def _comet_of(self, name: str, numbers: Sequence[int]) -> float | None:
        if self.comet is None:
            return None
        return sum(self.comet[name][number] for number in numbers) / len(numbers)


def _trainings_row(names: Trainings, first: Trainings, rows: Mapping[str, ScoreRow]) -> TrainingsRow:
    own, others = ([rows[name] for name in group] for group in (names, first))
    spreads = {
        metric: compare_trainings(
            [row.value(metric) for row in own], None if names == first else [row.value(metric) for row in others]
        )
        for metric in METRICS
    }
    return TrainingsRow(tuple(names), own[0].language, spreads)


def _languages(references: References) -> dict[str, list[int]]:
    """Numbers of all sentences, and where there are several languages, of those of each."""
    languages = references.languages or []
    if ALL in languages:
        raise ScoreError(f"a language is called '{ALL}', which stands for all languages", place=references.path)
    groups = {ALL: list(range(len(references.lines)))}
    if len(set(languages)) > 1:
        groups |= {name: [i for i, found in enumerate(languages) if found == name] for name in sorted(set(languages))}
    return groups


def _comet(
    systems: Mapping[str, Sequence[str]], references: References, options: CometOptions
) -> dict[str, list[float]] | None:
    """COMET of each sentence of each system; None where it is not asked for."""
    if options.python is None:
        return None
    if options.source is None:
        raise ScoreError("--comet-python needs --source: COMET reads the source sentences too")
    sources = read_lines(options.source)
    if len(sources) != len(references.lines):
        raise ScoreError(
            f"{len(sources)} lines, but there are {len(references.lines)} references", place=options.source
        )
    return comet_scores(options.python, options.model or DEFAULT_MODEL, sources, systems, references.lines)
