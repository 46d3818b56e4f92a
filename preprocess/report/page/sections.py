"""The sections of a page that have pictures: lengths of the streams, units, and how often to repeat source text."""

from collections.abc import Mapping
from html import escape
from typing import Any

from . import markup

Figures = dict[str, Any]
Charts = Mapping[str, str]  # SVG by name


def hours(seconds: float) -> str:
    """Seconds as hours, written out."""
    return f"{seconds / 3600:,.2f} h"


def streams_section(figures: Figures, charts: Charts) -> str:
    header = ("stream", "examples", "length", "languages", "source tokens", "target tokens", "transcripts", "<unk>")
    rows, lengths = [], []
    for split, streams in figures["streams"].items():
        for name, found in streams.items():
            sides = [side for side in ("source", "transcript", "target") if side in found]
            languages = ", ".join(f"{language} {number:,}" for language, number in found["target_languages"].items())
            rows.append(
                (
                    f"{split}.{name}",
                    f"{found['examples']:,}",
                    hours(found["seconds"]) if found["seconds"] else "",
                    languages,
                    f"{found['source']['tokens']:,}",
                    f"{found['target']['tokens']:,}",
                    f"{found['transcript']['known']:,}" if "transcript" in found else "",
                    _unknown([found[side] for side in sides]),
                )
            )
            lengths += [_length_row(f"{split}.{name} {side}", found, side) for side in sides if found[side]["lengths"]]
    length_header = ("tokens of an example", "min", "5%", "median", "mean", "95%", "max", "too short for its CTC")
    captions = {"st": "Lengths in the speech stream of", "mt": "Lengths in the text stream of"}
    first = next(iter(figures["streams"]))
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


def _unknown(sides: list[Figures]) -> str:
    number, tokens = (sum(side[name] for side in sides) for name in ("unknown", "tokens"))
    return f"{number:,} ({number / tokens:.1%})" if number else "0"


def _length_row(name: str, found: Figures, side: str) -> tuple[str, ...]:
    lengths = found[side]["lengths"]
    numbers = [f"{lengths[key]:,.{0 if key in ('min', 'max') else 1}f}" for key in _LENGTHS]
    infeasible = found[side].get("ctc_infeasible")
    share = "" if infeasible is None else f"{infeasible:,} ({found[side]['ctc_infeasible_share']:.1%})"
    return (name, *numbers, share)


_LENGTHS = ("min", "p5", "median", "mean", "p95", "max")


def units_section(figures: Figures, charts: Charts) -> str:
    rows: list[tuple[str, ...]] = []
    for split, units in figures["units"].items():
        rates = figures["per_second"].get(split, {})
        numbers = [f"{rates[name]:.1f}" if name in rates else "" for name in _RATES]
        new = f"{len(units['not_in_earlier_splits']):,}" if rows else ""
        use = f"{units['used']:,} ({units['share_used']:.1%})"
        rows.append((split, use, f"{units['entropy_bits']:.2f}", f"{units['perplexity']:,.0f}", new, *numbers))
    header = (
        "split",
        "units used",
        "entropy, bits",
        "perplexity",
        "new units",
        *(f"{name} / s" for name in _RATES.values()),
    )
    runs = next(iter(figures["run_lengths"].values()), None)
    run_caption = ""
    if runs:
        run_caption = (
            f"Frames in a run of one unit, before runs became one: {runs['mean']:.2f} on the whole, "
            f"{runs['share_of_one_frame']:.0%} of the runs are a single frame, the longest is {runs['longest']:,}"
        )
    unit_caption = "How often each unit occurs; dashed: if all were used alike"
    note = (
        ""
        if runs or not rows
        else "How long the runs of one unit were is not known: the units had no card that says it."
    )
    return markup.section(
        "Units",
        markup.charts((charts.get("units"), unit_caption), (charts.get("runs"), run_caption)),
        markup.table(header, rows),
        markup.paragraph(
            "Perplexity is the number of units that would give the same entropy if all were used alike. "
            "New units occur in no split above.",
            "muted",
        )
        if rows
        else "",
        markup.paragraph(note, "muted") if note else "",
    )


_RATES = {
    "frames": "frames",
    "deduplicated_units": "units",
    "unit_subwords": "unit subwords",
    "transcript_subwords": "source subwords",
    "target_subwords": "target subwords",
}


def factors_section(figures: Figures, charts: Charts) -> str:
    found = figures["repeat_factors"]
    if not found:
        return ""
    rows = []
    for factor, entry in found["factors"].items():
        percentiles = entry.get("percentiles")
        rows.append(
            (
                f"×{factor}",
                f"{entry['ratio_of_lengths']:.2f}",
                f"{percentiles['10']:.2f} – {percentiles['50']:.2f} – {percentiles['90']:.2f}" if percentiles else "",
                f"{entry['close_share']:.0%}" if percentiles else "",
                f"{entry['typical_difference']:.2f}",
                f"{entry['text_ctc_infeasible']:,}" if "text_ctc_infeasible" in entry else "",
            )
        )
    header = (
        "factor",
        "text / speech",
        "10% – median – 90%",
        "within ×1.25",
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
        markup.paragraph(found["advice"], "advice"),
        markup.charts(*pictures),
        markup.table(header, rows, f"×{found['nearest']}"),
        markup.paragraph(note, "muted"),
    )
