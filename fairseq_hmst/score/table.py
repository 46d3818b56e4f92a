"""Scores of one test set by system and language, as a table or as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .comet import DEFAULT_MODEL, CometOptions, comet_scores
from .corpus import Comparison, CorpusScore, compare_systems, score_corpus
from .errors import ScoreError
from .options import ScoreOptions
from .texts import References, read_hypotheses, read_lines

ALL = "all"


@dataclass(frozen=True)
class ScoreRow:
    """One system's scores on all sentences, or on those of one language.

    Attributes:
        system: its name.
        language: a target language, or "all".
        score: BLEU, chrF and lengths.
        comparisons: by metric; None where there is but one system.
        comet: mean over sentences; None where it was not asked for.
    """

    system: str
    language: str
    score: CorpusScore
    comparisons: Mapping[str, Comparison] | None
    comet: float | None

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        values: dict[str, object] = {"system": self.system, "language": self.language, **self.score.as_dict()}
        for metric, comparison in (self.comparisons or {}).items():
            values |= {f"{metric}_{name}": value for name, value in asdict(comparison).items()}
        return values if self.comet is None else values | {"comet": self.comet}

    def cells(self) -> dict[str, str]:
        """Texts of the row by column; "" where there is nothing to say."""
        comparisons = self.comparisons or {}
        cells = {"system": self.system, "language": self.language, "sentences": str(self.score.sentences)}
        for name, value in {"BLEU": self.score.bleu, "chrF": self.score.chrf}.items():
            comparison = comparisons.get(name.lower())
            p_value = comparison.p_value if comparison else None
            cells[name] = f"{value:.1f}" + (f" ± {comparison.interval:.1f}" if comparison else "")
            cells[f"p {name}"] = "" if p_value is None else f"{p_value:.4f}"
        cells["brevity penalty"] = f"{self.score.bp:.3f}"
        cells["length ratio"] = f"{self.score.length_ratio:.3f}"
        cells["COMET"] = "" if self.comet is None else f"{self.comet:.4f}"
        return cells


@dataclass(frozen=True)
class ScoreTable:
    """The scores of some systems.

    Attributes:
        references: what they were compared with.
        rows: those of all sentences first.
        comet_model: None where COMET was not asked for.
    """

    references: References
    rows: Sequence[ScoreRow]
    comet_model: str | None

    def as_json(self) -> str:
        """One object: where the references are from, and the rows."""
        content = {
            "references": str(self.references.path),
            "data": self.references.data,
            "comet_model": self.comet_model,
            "scores": [row.as_dict() for row in self.rows],
        }
        return json.dumps(content, ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        """A table, and below it what the figures mean."""
        table = [row.cells() for row in self.rows]
        # columns that no row fills are left out; all rows of one language need no such column
        kept = [name for name in table[0] if any(cells[name] for cells in table)]
        if {row.language for row in self.rows} == {ALL}:
            kept.remove("language")
        lines = [kept, *([cells[name] for name in kept] for cells in table)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]
        first = self.rows[0]
        signatures = {"BLEU": first.score.bleu_signature, "chrF": first.score.chrf_signature}
        if first.comparisons:
            signatures = {name: first.comparisons[name.lower()].signature for name in signatures}
            text += [
                "",
                "p: chance of a difference as large from the first system (paired bootstrap); ±: 95 % interval",
            ]
        notes = {**signatures, "COMET": self.comet_model, "data": self.references.data}
        return "\n".join([*text, "", *(f"{name}: {note}" for name, note in notes.items() if note)])


def score_systems(references: References, outputs: Sequence[Path], options: ScoreOptions | None = None) -> ScoreTable:
    """Score systems on all sentences and, where there are several languages, on those of each.

    Args:
        references: with languages or without.
        outputs: a file of hypotheses of each system; the first is the one that others are compared with.
        options: None: sacreBLEU's defaults, without COMET.

    Raises:
        ScoreError: files do not fit or cannot be read, a language is called "all", the seed is below 1, or COMET does
            not run.
    """
    options = options or ScoreOptions()
    systems = {str(path): read_hypotheses(path, references) for path in outputs}
    comet = _comet(systems, references, options.comet)
    rows = []
    for language, numbers in _groups(references).items():
        lines = [references.lines[number] for number in numbers]
        chosen = {name: [hypotheses[number] for number in numbers] for name, hypotheses in systems.items()}
        own = [references.language_of_lines[number] for number in numbers]
        comparisons = {}
        if len(systems) > 1:
            comparisons = compare_systems(chosen, lines, options.tokenize, options.bootstrap, own)
        for name, hypotheses in chosen.items():
            mean = None if comet is None else sum(comet[name][number] for number in numbers) / len(numbers)
            score = score_corpus(hypotheses, lines, options.tokenize, own)
            rows.append(ScoreRow(name, language, score, comparisons.get(name), mean))
    return ScoreTable(references, rows, None if comet is None else options.comet.model or DEFAULT_MODEL)


def _groups(references: References) -> dict[str, list[int]]:
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
