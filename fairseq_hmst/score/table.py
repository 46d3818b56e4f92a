"""Scores of one test set by system and language, as tables or as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .rows import ALL, METRICS, ScoreRow, TrainingsRow
from .texts import References

INTERVALS = "[...]: 95 % confidence interval, by bootstrap over sentences"
P_VALUES = """\
p: chance of a difference as large where sentences of equally good systems are exchanged (two-sided)
paired-bs p: that of sacreBLEU's paired bootstrap, which is too small; for comparison with others
a small p says that these outputs differ, not that trainings with other seeds would"""
TRAININGS = """\
±: standard deviation over trainings; [...]: 95 % confidence interval, by Student's t
p: chance of a mean difference as large between trainings of equally good systems (two-sided paired t test)"""


@dataclass(frozen=True)
class ScoreTable:
    """The scores of some systems.

    Attributes:
        references: what they were compared with.
        rows: those of all sentences first.
        trainings: rows of systems with several trainings; none where nobody says which belong together.
        comet_model: None where COMET was not asked for.
    """

    references: References
    rows: Sequence[ScoreRow]
    trainings: Sequence[TrainingsRow]
    comet_model: str | None

    def as_json(self) -> str:
        """One object: where the references are from, and the rows."""
        content = {
            "references": str(self.references.path),
            "data": self.references.data,
            "comet_model": self.comet_model,
            "scores": [row.as_dict() for row in self.rows],
            "trainings": [row.as_dict() for row in self.trainings],
        }
        return json.dumps(content, ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        """Tables, and below each what the figures mean."""
        parts = ["\n".join([*_columns([row.cells() for row in self.rows]), "", INTERVALS])]
        if compared := [cells for row in self.rows if (cells := row.comparison_cells())]:
            with_what = "the same training of the first system" if self.trainings else self.rows[0].system
            parts.append("\n".join([f"Compared with {with_what}:", *_columns(compared), "", P_VALUES]))
        if self.trainings:
            parts.append("\n".join(["Trainings:", *_columns([row.cells() for row in self.trainings]), "", TRAININGS]))
        signatures = {name: self.rows[-1].certainties[metric].signature for metric, name in METRICS.items()}
        notes = {**signatures, "COMET": self.comet_model, "data": self.references.data}
        return "\n\n".join([*parts, "\n".join(f"{name}: {note}" for name, note in notes.items() if note)])


def _columns(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Lines of a table; columns that no row fills are left out, and that of the language where it is always ALL."""
    kept = [name for name in rows[0] if any(cells[name] for cells in rows)]
    if {cells["language"] for cells in rows} == {ALL}:
        kept.remove("language")
    lines = [kept, *([cells[name] for name in kept] for cells in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]
