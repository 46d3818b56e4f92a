"""The pictures of a report, each drawn from the figures alone."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..figures.data_bin_figures import DataBinFigures
from ..figures.factors import RepeatFactors
from ..figures.stream_figures import LengthHistogram
from ..figures.unit_use import UnitRuns, UnitUse
from .svg import MUTED, SPEECH, TEXT, render

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Value = TypeVar("Value")
MAX_PANELS = 4  # of one picture: more are too low to read


def draw_charts(figures: DataBinFigures) -> dict[str, str]:
    """SVG elements by name, of what there are figures for.

    Raises:
        PreprocessError: matplotlib is not installed.
    """
    drawings: dict[str, Callable[[Figure], None]] = {}
    if units := _first(figures.units):
        drawings["units"] = partial(_draw_units, units)
    if runs := _first(figures.run_lengths):
        drawings["runs"] = partial(_draw_runs, runs)
    if factors := figures.repeat_factors:
        if factors.sample:
            drawings["pairs"] = partial(_draw_pairs, factors)
        if factors.ratios:
            drawings["ratios"] = partial(_draw_ratios, factors)
        drawings["factors"] = partial(_draw_factors, factors)
        if factors.text_ctc:
            drawings["ctc"] = partial(_draw_ctc, factors)
    for name, stream in (_first(figures.streams) or {}).items():
        histograms = {kind: side.histogram for kind, side in stream.sides.items() if side.histogram}
        drawings[f"lengths-{name}"] = partial(_draw_histograms, histograms, "tokens of an example")
    speech = {
        "seconds": ({split: found.histogram for split, found in figures.seconds.items()}, "seconds of an example"),
        "speakers": ({split: found.histogram for split, found in figures.speakers.items()}, "examples of a speaker"),
    }
    for name, (histograms, label) in speech.items():
        if histograms:
            shown = dict(islice(histograms.items(), MAX_PANELS))
            drawings[name] = partial(_draw_histograms, shown, label, share_axis=name == "seconds")
    return {name: render(name, draw) for name, draw in drawings.items()}


def _first(by_name: Mapping[str, Value]) -> Value | None:
    return next(iter(by_name.values()), None)


def _draw_units(units: UnitUse, figure: "Figure") -> None:
    axes = figure.subplots()
    counts = np.sort(units.counts)[::-1]
    used = counts[counts > 0]
    axes.fill_between(np.arange(1, len(used) + 1), used, step="mid", color=SPEECH, alpha=0.25, linewidth=0)
    axes.step(np.arange(1, len(used) + 1), used, where="mid", color=SPEECH)
    axes.axhline(counts.mean(), color=MUTED, linestyle="--", linewidth=1)
    axes.annotate("all alike", (1, counts.mean()), (2, -9), textcoords="offset points", color=MUTED, fontsize=8)
    axes.set(yscale="log", xlim=(0, len(counts) + 1), xlabel="units, most frequent first", ylabel="times each occurs")
    _set_round_ticks(axes.yaxis)


def _draw_runs(runs: UnitRuns, figure: "Figure") -> None:
    axes = figure.subplots()
    shown = min(20, runs.longest)
    shares = np.zeros(shown + 1)
    for length, number in runs.counts.items():
        shares[min(length, shown)] += number / runs.runs
    axes.bar(np.arange(1, shown + 1), 100 * shares[1:], color=SPEECH)
    ticks = [length for length in (1, 5, 10, 15) if length < shown]
    axes.set_xticks([*ticks, shown], [*map(str, ticks), f"{shown}+" if shown < runs.longest else str(shown)])
    axes.set(xlabel="frames in a run", ylabel="% of runs")


def _draw_pairs(factors: RepeatFactors, figure: "Figure") -> None:
    axes = figure.subplots()
    speech, text = np.array(factors.sample).T
    limits = text.max() * 1.02, np.percentile(speech, 99.5) * 1.1
    spread = np.random.default_rng(0).uniform(-0.3, 0.3, len(text))  # lengths are whole: points would hide each other
    axes.scatter(text + spread, speech, s=7, color=SPEECH, alpha=0.45, linewidths=0)
    for factor in factors.factors:
        is_nearest = factor == factors.nearest
        end = min(limits[0], limits[1] / factor)
        axes.plot([0, end], [0, factor * end], color=TEXT if is_nearest else MUTED, linewidth=2 if is_nearest else 0.8)
        axes.annotate(
            f"×{factor}",
            (end, factor * end),
            (3, 0) if end == limits[0] else (0, 3),
            textcoords="offset points",
            ha="left" if end == limits[0] else "center",
            color=TEXT if is_nearest else MUTED,
            fontweight="bold" if is_nearest else "normal",
            annotation_clip=False,
        )
    axes.set(xlim=(0, limits[0]), ylim=(0, limits[1]), xlabel="source-text subwords, not repeated")
    axes.set_ylabel("unit subwords of the same sentence")


def _draw_ratios(factors: RepeatFactors, figure: "Figure") -> None:
    axes = figure.subplots()
    for factor, percentiles in factors.ratios.items():
        low, lower, median, upper, high = percentiles.values()
        colour = TEXT if factor == factors.nearest else SPEECH
        axes.plot([factor] * 2, [low, high], color=colour, linewidth=1.5, solid_capstyle="butt")
        axes.plot([factor] * 2, [lower, upper], color=colour, linewidth=11, alpha=0.45, solid_capstyle="butt")
        axes.plot([factor - 0.18, factor + 0.18], [median] * 2, color=colour, linewidth=2)
    axes.axhline(1, color=MUTED, linestyle="--", linewidth=1)
    axes.set(yscale="log", xlabel="repeat factor", ylabel="repeated text / speech")
    axes.set_xticks(range(1, len(factors.factors) + 1), [f"×{factor}" for factor in factors.factors])
    _set_round_ticks(axes.yaxis)


def _draw_factors(factors: RepeatFactors, figure: "Figure") -> None:
    axes = figure.subplots()
    shares = np.arange(1, 100)
    text = np.array(factors.text_percentiles)
    for factor in factors.factors:
        is_nearest = factor == factors.nearest
        colour, width = (TEXT, 2.0) if is_nearest else (MUTED, 0.8)
        axes.plot(factor * text, shares, color=colour, linewidth=width)
        weight = "bold" if is_nearest else "normal"
        axes.annotate(
            f"×{factor}",
            (factor * text[-1], 99),
            (0, 3),
            textcoords="offset points",
            ha="center",
            color=colour,
            fontsize=8,
            fontweight=weight,
        )
    axes.plot(factors.speech_percentiles, shares, color=SPEECH, linewidth=2.6)
    axes.set(xscale="log", ylim=(0, 108), xlabel="tokens", ylabel="% of sentences up to this length")
    _set_round_ticks(axes.xaxis)


def _set_round_ticks(axis: "Axis") -> None:
    """Ticks of a logarithmic axis at 1, 2, 5, 10, ..., written out; with more than two decades at 1, 10, 100, ..."""
    low, high = axis.get_view_interval()
    leading = (1, 2, 5) if high / low < 200 else (1,)
    ticks = [digit * 10.0**power for power in range(-3, 10) for digit in leading]
    shown = [tick for tick in ticks if low <= tick <= high]
    axis.set_ticks(shown, [f"{tick:,.10g}" for tick in shown])
    axis.set_ticks([], minor=True)


def _draw_ctc(factors: RepeatFactors, figure: "Figure") -> None:
    axes = figure.subplots()
    numbers, shares = zip(*factors.text_ctc.values(), strict=True)
    heights = [100 * share for share in shares]
    bars = axes.bar([f"×{factor}" for factor in factors.text_ctc], heights, color=TEXT, width=0.6)
    axes.bar_label(bars, [f"{number:,}" for number in numbers], color=MUTED, fontsize=8, padding=2)
    axes.set(xlabel="repeat factor", ylabel="% of the text stream too short", ylim=(0, max(*heights, 0.1) * 1.15))


def _draw_histograms(
    histograms: Mapping[str, LengthHistogram], label: str, figure: "Figure", *, share_axis: bool = False
) -> None:
    """One panel a histogram, the first in the colour of speech; each has a scale of its own, or all have one."""
    panels = figure.subplots(len(histograms), 1, squeeze=False, sharex=share_axis)[:, 0]
    for number, (axes, (name, histogram)) in enumerate(zip(panels, histograms.items(), strict=True)):
        # A bin of the lengths 4 to 7 reaches from 3.5 to 7.5, so that a bin of one length stands over it.
        shift = 0.5 if isinstance(histogram.width, int) else 0.0
        edges = np.arange(len(histogram.counts) + 1) * histogram.width - shift
        axes.stairs(histogram.counts, edges, fill=True, color=TEXT if number else SPEECH, alpha=0.75)
        axes.set_title(name, loc="left", color=MUTED)
        axes.set_xlim(0, max(edges[-1], axes.get_xlim()[1]) if share_axis and number else edges[-1])
        axes.locator_params(integer=True)
    panels[-1].set_xlabel(label)
