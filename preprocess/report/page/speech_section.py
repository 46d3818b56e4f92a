"""The section on seconds and speakers of the speech."""

from ..figures.data_bin_figures import DataBinFigures
from ..figures.speech_figures import SecondsFigures, SpeakerFigures
from . import markup
from .charts import MAX_PANELS
from .sections import Charts, hours

SECONDS_HEADER = ("split", "examples", "length", "min, s", "5%", "median", "mean", "95%", "max, s", "not known")
SPEAKERS_HEADER = (
    "split",
    "speakers",
    "also in a split above",
    "examples of one: median",
    "max",
    "length of one: median",
)


def speech_section(figures: DataBinFigures, charts: Charts) -> str:
    """Section on seconds and speakers; "" for a data-bin without speech."""
    if not figures.units:
        return ""
    seconds = [_seconds_row(split, found) for split, found in figures.seconds.items()]
    speakers = [_speakers_row(split, found) for split, found in figures.speakers.items()]
    return markup.section(
        "Seconds and speakers",
        markup.charts(
            (charts.get("seconds"), _caption("Examples by their seconds", len(seconds))),
            (charts.get("speakers"), _caption("Speakers by the number of their examples", len(speakers))),
        ),
        markup.table(SECONDS_HEADER, seconds),
        markup.table((*SPEAKERS_HEADER, "max", "not known"), speakers),
        markup.paragraph(_not_known(figures), "muted") if len(seconds) * len(speakers) == 0 else "",
    )


def _caption(text: str, num_splits: int) -> str:
    shown = f"the first {MAX_PANELS} splits" if num_splits > MAX_PANELS else "each split"
    return f"{text} in {shown}; the longest 1 % may lie beyond"


def _seconds_row(split: str, found: SecondsFigures) -> tuple[str, ...]:
    lengths = found.lengths
    values = (lengths.min, lengths.p5, lengths.median, lengths.mean, lengths.p95, lengths.max)
    cells = (f"{value:,.2f}" for value in values)
    return (split, f"{found.known + found.unknown:,}", hours(found.total), *cells, f"{found.unknown:,}")


def _speakers_row(split: str, found: SpeakerFigures) -> tuple[str, ...]:
    seconds = ("", "") if found.seconds is None else (_minutes(found.seconds.median), _minutes(found.seconds.max))
    examples = f"{found.examples.median:,.10g}", f"{found.examples.max:,}"
    return (split, f"{found.speakers:,}", f"{found.in_earlier_splits:,}", *examples, *seconds, f"{found.unknown:,}")


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.1f} min"


def _not_known(figures: DataBinFigures) -> str:
    missing = [name for name, found in (("seconds", figures.seconds), ("speakers", figures.speakers)) if not found]
    return f"The {' and '.join(missing)} of the examples are not known: neither manifest nor data-bin says them."
