"""Rows of scores: a system on some sentences, and several trainings of a system."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from .comparison import Certainty
from .corpus import CorpusScore
from .trainings import Spread

ALL = "all"  # languages
METRICS = {"bleu": "BLEU", "chrf": "chrF"}


@dataclass(frozen=True)
class ScoreRow:
    """One system's scores on all sentences, or on those of one language.

    Attributes:
        system: its name.
        language: a target language, or "all".
        score: BLEU, chrF and lengths.
        certainties: by metric.
        comet: mean over sentences; None where it was not asked for.
    """

    system: str
    language: str
    score: CorpusScore
    certainties: Mapping[str, Certainty]
    comet: float | None

    def value(self, metric: str) -> float:
        """The score by a metric, `bleu` or `chrf`."""
        return self.score.bleu if metric == "bleu" else self.score.chrf

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        values: dict[str, object] = {"system": self.system, "language": self.language, **self.score.as_dict()}
        for metric, certainty in self.certainties.items():
            values |= {f"{metric}_{name}": value for name, value in asdict(certainty).items()}
        return values if self.comet is None else values | {"comet": self.comet}

    def cells(self) -> dict[str, str]:
        """Texts of the row by column; "" where there is nothing to say."""
        cells = {"system": self.system, "language": self.language, "sentences": str(self.score.sentences)}
        for metric, name in METRICS.items():
            cells[name] = f"{self.value(metric):.1f} {_interval(self.certainties[metric].interval)}"
        cells["brevity penalty"] = f"{self.score.bp:.3f}"
        cells["length ratio"] = f"{self.score.length_ratio:.3f}"
        cells["COMET"] = "" if self.comet is None else f"{self.comet:.4f}"
        return cells

    def comparison_cells(self) -> dict[str, str]:
        """Texts of its comparison with the first system by column; none for that."""
        cells = {"system": self.system, "language": self.language}
        for metric, name in METRICS.items():
            found = self.certainties[metric]
            if found.p_value is None or found.paired_bs_p_value is None:
                return {}
            cells[f"{name} difference"] = _difference(found.difference, found.difference_interval)
            cells[f"p {name}"] = _p(found.p_value)
            cells[f"paired-bs p {name}"] = _p(found.paired_bs_p_value)
        return cells


@dataclass(frozen=True)
class TrainingsRow:
    """Scores of several trainings of one system, on all sentences or on those of one language.

    Attributes:
        trainings: names of their rows.
        language: a target language, or "all".
        spreads: by metric.
    """

    trainings: tuple[str, ...]
    language: str
    spreads: Mapping[str, Spread]

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        values: dict[str, object] = {"trainings": self.trainings, "language": self.language}
        for metric, spread in self.spreads.items():
            values |= {f"{metric}_{name}": value for name, value in asdict(spread).items()}
        return values

    def cells(self) -> dict[str, str]:
        """Texts of the row by column; "" where there is nothing to say."""
        cells = {
            "system": f"{self.trainings[0]} and {len(self.trainings) - 1} more",
            "language": self.language,
        }
        for metric, name in METRICS.items():
            found = self.spreads[metric]
            cells[name] = f"{found.mean:.1f} ± {found.deviation:.1f}"
            cells[f"{name} difference"] = _difference(found.difference, found.difference_interval)
            cells[f"p {name}"] = "" if found.p_value is None else _p(found.p_value)
        return cells


def _interval(bounds: tuple[float, float], sign: str = "") -> str:
    low, high = bounds
    return f"[{low:{sign}.1f}, {high:{sign}.1f}]"


def _difference(difference: float | None, bounds: tuple[float, float] | None) -> str:
    return "" if difference is None or bounds is None else f"{difference:+.1f} {_interval(bounds, '+')}"


def _p(value: float) -> str:
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"
