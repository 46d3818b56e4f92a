"""The sections of a page that have pictures: lengths of the streams, units, and how often to repeat source text."""

from collections.abc import Collection, Mapping
from html import escape

from msgspec import UNSET

from ..figures.data_bin_figures import DataBinFigures
from ..figures.factors import CLOSE, FactorFigures
from ..figures.stream_figures import LengthSummary, SideFigures, StreamFigures
from ..figures.unit_use import TokenRates, UnitRuns
from . import markup

Charts = Mapping[str, str]  # SVG by name
RATES = ("frames", "units", "unit subwords", "source subwords", "target subwords")


def hours(seconds: float) -> str:
    """Seconds as hours, written out."""
    return f"{seconds / 3600:,.2f} h"


def streams_section(figures: DataBinFigures, charts: Charts) -> str:
    """Section on sizes, languages and lengths of the streams."""
    header = ("stream", "examples", "length", "languages", "source tokens", "target tokens", "transcripts", "<unk>")
    rows, lengths = [], []
    for split, streams in figures.streams.items():
        for name, stream in streams.items():
            rows.append(_stream_row(f"{split}.{name}", stream))
            for kind, side in stream.sides.items():
                if side.lengths:
                    lengths.append(_length_row(f"{split}.{name} {kind}", side.lengths, side))
    length_header = ("tokens of an example", "min", "5%", "median", "mean", "95%", "max", "too short for its CTC")
    captions = {"st": "Lengths in the speech stream of", "mt": "Lengths in the text stream of"}
    first = next(iter(figures.streams))
    pictures = [(charts.get(f"lengths-{name}"), f"{caption} {escape(first)}") for name, caption in captions.items()]
    note = (
        "A CTC needs a source of at least as many steps as labels, and one more between equal neighbours. "
        "Examples that it cannot align are named in the data-bin's ctc_infeasible.tsv."
    )
    return markup.section(
        "Streams and lengths",
        markup.table(header, rows),
        markup.charts(*pictures),
        markup.table(length_header, lengths),
        markup.paragraph(note, "muted"),
    )


def _stream_row(name: str, stream: StreamFigures) -> tuple[str, ...]:
    return (
        name,
        f"{stream.examples:,}",
        hours(stream.seconds) if stream.seconds else "",
        ", ".join(f"{language} {number:,}" for language, number in stream.target_languages.items()),
        f"{stream.source.tokens:,}",
        f"{stream.target.tokens:,}",
        f"{stream.transcript.known:,}" if stream.transcript else "",
        _unknown(stream.sides.values()),
    )


def _unknown(sides: Collection[SideFigures]) -> str:
    number, tokens = sum(side.unknown for side in sides), sum(side.tokens for side in sides)
    return f"{number:,} ({number / tokens:.1%})" if number else "0"


def _length_row(name: str, lengths: LengthSummary, side: SideFigures) -> tuple[str, ...]:
    middle = (f"{length:,.1f}" for length in (lengths.p5, lengths.median, lengths.mean, lengths.p95))
    share = f"{side.ctc_infeasible:,} ({side.ctc_infeasible_share:.1%})" if side.ctc_infeasible is not UNSET else ""
    return (name, f"{lengths.min:,}", *middle, f"{lengths.max:,}", share)


def units_section(figures: DataBinFigures, charts: Charts) -> str:
    """Section on the use of units, their runs, and tokens a second."""
    rows: list[tuple[str, ...]] = []
    for split, units in figures.units.items():
        new = f"{len(units.not_in_earlier_splits):,}" if rows else ""
        use = f"{units.used:,} ({units.share_used:.1%})"
        rates = _rate_cells(figures.per_second.get(split))
        rows.append((split, use, f"{units.entropy_bits:.2f}", f"{units.perplexity:,.0f}", new, *rates))
    header = ("split", "units used", "entropy, bits", "perplexity", "new units", *(f"{name} / s" for name in RATES))
    runs = next(iter(figures.run_lengths.values()), None)
    unit_caption = "How often each unit occurs; dashed: if all were used alike"
    perplexity = (
        "Perplexity is the number of units that would give the same entropy if all were used alike. "
        "New units occur in no split above."
    )
    no_runs = "How long the runs of one unit were is not known: the units had no card that says it."
    return markup.section(
        "Units",
        markup.charts((charts.get("units"), unit_caption), (charts.get("runs"), _run_caption(runs))),
        markup.table(header, rows),
        markup.paragraph(perplexity, "muted") if rows else "",
        markup.paragraph(no_runs, "muted") if rows and not runs else "",
    )


def _run_caption(runs: UnitRuns | None) -> str:
    if runs is None:
        return ""
    return (
        f"Frames in a run of one unit, before runs became one: {runs.mean:.2f} on the whole, "
        f"{runs.share_of_one_frame:.0%} of the runs are a single frame, the longest is {runs.longest:,}"
    )


def _rate_cells(rates: TokenRates | None) -> list[str]:
    """Cells below RATES."""
    if rates is None:
        return [""] * len(RATES)
    subwords = (rates.unit_subwords, rates.transcript_subwords, rates.target_subwords)
    return ["" if rate is UNSET else f"{rate:.1f}" for rate in (rates.frames, rates.deduplicated_units, *subwords)]


def factors_section(figures: DataBinFigures, charts: Charts) -> str:
    """Section on how often to repeat source text; "" where there is nothing to compare."""
    found = figures.repeat_factors
    if found is None:
        return ""
    rows = [_factor_row(factor, entry) for factor, entry in found.factors.items()]
    header = (
        "factor",
        "text / speech",
        "10% – median – 90%",
        f"within ×{CLOSE}",
        "typical difference",
        "too short for CTC",
    )
    speech, text = markup.key("speech", "speech"), markup.key("text", "nearest")
    pictures = [
        (
            charts.get("pairs"),
            "Points: sentences, drawn, spread a little sideways; on a line speech is as long as text repeated so often",
        ),
        (
            charts.get("ratios"),
            "Repeated text divided by speech: median, middle half, and 10% to 90% of the sentences",
        ),
        (charts.get("factors"), f"Lengths of {speech}, and of source text for each factor, the {text} in colour"),
        (charts.get("ctc"), "Sources of the text stream that are too short for a CTC of their translation"),
    ]
    note = (
        "Typical difference: the text is so many times longer or shorter than its speech (geometric mean). In the "
        "method's paper (arXiv 2309.15826) 4 gave the best BLEU of 1, 2, 4 and 6 with its units; a near length is a "
        "first guess, and a training of each is the proof."
    )
    return markup.section(
        "How often to repeat source text",
        markup.paragraph(found.advice, "advice"),
        markup.charts(*pictures),
        markup.table(header, rows, f"×{found.nearest}"),
        markup.paragraph(note, "muted"),
    )


def _factor_row(factor: int, found: FactorFigures) -> tuple[str, ...]:
    spread = found.percentiles
    return (
        f"×{factor}",
        f"{found.ratio_of_lengths:.2f}",
        f"{spread[10]:.2f} – {spread[50]:.2f} – {spread[90]:.2f}" if spread else "",
        "" if found.close_share is UNSET else f"{found.close_share:.0%}",
        f"{found.typical_difference:.2f}",
        "" if found.text_ctc_infeasible is UNSET else f"{found.text_ctc_infeasible:,}",
    )
