"""All scores of one call of hmst-score, as rows of system and language, for a person or as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from .corpus import Comparison, CorpusScore, compare_systems, score_corpus
from .texts import References, ScoreError

ALL = "all"


@dataclass(frozen=True)
class Bootstrap:
    """Of the paired bootstrap: test sets drawn, and the seed of the draws."""

    resamples: int
    seed: int


@dataclass(frozen=True)
class Row:
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


def make_rows(
    systems: Mapping[str, Sequence[str]],
    references: References,
    tokenizer: str,
    bootstrap: Bootstrap,
    comet: Mapping[str, Sequence[float]] | None = None,
) -> list[Row]:
    """Score each system on all sentences and, where there are several languages, on those of each.

    Args:
        systems: name -> hypotheses, parallel to the references; the first is the one that others are compared with.
        references: with languages or without.
        tokenizer: of BLEU.
        bootstrap: used where there are several systems.
        comet: system -> score of each sentence.

    Raises:
        ScoreError: a language is called "all", or the seed is below 1.
    """
    languages = references.languages or []
    if ALL in languages:
        raise ScoreError(f"a language of {references.path} is called '{ALL}', which stands for all languages")
    groups = {ALL: list(range(len(references.lines)))}
    if len(set(languages)) > 1:
        groups |= {name: [i for i, found in enumerate(languages) if found == name] for name in sorted(set(languages))}
    rows = []
    for language, numbers in groups.items():
        lines = [references.lines[number] for number in numbers]
        chosen = {name: [hypotheses[number] for number in numbers] for name, hypotheses in systems.items()}
        comparisons = {}
        if len(systems) > 1:
            comparisons = compare_systems(chosen, lines, tokenizer, bootstrap.resamples, bootstrap.seed)
        for name, hypotheses in chosen.items():
            mean = None if comet is None else sum(comet[name][number] for number in numbers) / len(numbers)
            score = score_corpus(hypotheses, lines, tokenizer)
            rows.append(Row(name, language, score, comparisons.get(name), mean))
    return rows


def as_json(rows: Sequence[Row], references: References, comet_model: str | None) -> str:
    """One object: where the references are from, and the rows."""
    about = {"references": str(references.path), "data": references.data, "comet_model": comet_model}
    return json.dumps(about | {"scores": [row.as_dict() for row in rows]}, ensure_ascii=False, indent=2)


def as_text(rows: Sequence[Row], references: References, comet_model: str | None) -> str:
    """A table, and below it what the figures mean."""
    table = [_cells(row) for row in rows]
    # columns that no row fills are left out; all rows of one language need no such column
    kept = [name for name in table[0] if any(cells[name] for cells in table)]
    if {row.language for row in rows} == {ALL}:
        kept.remove("language")
    lines = [kept, *([cells[name] for name in kept] for cells in table)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]
    first = rows[0]
    signatures = {"BLEU": first.score.bleu_signature, "chrF": first.score.chrf_signature}
    if first.comparisons:
        signatures = {name: first.comparisons[name.lower()].signature for name in signatures}
        text += ["", "p: chance of a difference as large from the first system (paired bootstrap); ±: 95 % interval"]
    notes = {**signatures, "COMET": comet_model, "data": references.data}
    return "\n".join([*text, "", *(f"{name}: {note}" for name, note in notes.items() if note)])


def _cells(row: Row) -> dict[str, str]:
    score, comparisons = row.score, row.comparisons or {}
    cells = {"system": row.system, "language": row.language, "sentences": str(score.sentences)}
    for name, value in {"BLEU": score.bleu, "chrF": score.chrf}.items():
        comparison = comparisons.get(name.lower())
        p_value = comparison.p_value if comparison else None
        cells[name] = f"{value:.1f}" + (f" ± {comparison.interval:.1f}" if comparison else "")
        cells[f"p {name}"] = "" if p_value is None else f"{p_value:.4f}"
    cells["brevity penalty"] = f"{score.bp:.3f}"
    cells["length ratio"] = f"{score.length_ratio:.3f}"
    cells["COMET"] = "" if row.comet is None else f"{row.comet:.4f}"
    return cells
