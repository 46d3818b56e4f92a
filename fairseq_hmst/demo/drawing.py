"""A Picture as HTML.

Everything has its place in percent of one line, so that this can be stretched until it is readable. Colours and sizes
are in `style`. Text goes through `escape`, since it comes from models and files.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from .picture import Picture, Span

LEAST_WEIGHT = 0.01  # a fainter box is not drawn: nobody would see it, and a long picture has thousands
GOLDEN_ANGLE = 137.508  # degrees: neighbouring numbers get hues far apart
# pixels a second: no more than the page has; 9 pixels for a frame of 20 ms, enough for the number of a unit
WHOLE, READABLE, MOST = 1, 440, 1000
LONG = 5.0  # seconds: a longer line is shown whole at first
PIXELS_PER_WORD = 56
TICK_STEPS = (100, 50, 10, 5, 1)  # tenths of a second
SET_STRETCH = "this.closest('.hmst-picture').style.setProperty('--stretch', this.value)"


class _PictureRow(NamedTuple):
    """HTML of one row: its name at the left, its line, a cell at the right."""

    kind: str
    name: str
    line: str
    beside: str = ""


def draw(picture: Picture) -> str:
    """The picture, with a slider that stretches it where it has sound."""
    rows = [*_source_rows(picture), *_token_rows(picture)]
    columns = {"names": [row.name for row in rows], "lines": [row.line for row in rows]}
    columns["beside"] = [row.beside for row in rows]
    grid = "".join(
        f'<div class="hmst-{name}">'
        + "".join(f'<div class="hmst-row hmst-{row.kind}">{cell}</div>' for row, cell in zip(rows, cells, strict=True))
        + "</div>"
        for name, cells in columns.items()
    )
    if picture.peaks is None:
        stretch, slider = PIXELS_PER_WORD, ""
    else:
        stretch = WHOLE if picture.length > LONG else READABLE
        slider = draw_slider(stretch)
    return (
        f'<div class="hmst-picture" style="--length:{picture.length:.3f};--stretch:{stretch}">{slider}'
        f'<div class="hmst-scroll" tabindex="0" role="group" aria-label="alignment">{grid}</div></div>'
    )


def _source_rows(picture: Picture) -> Iterator[_PictureRow]:
    if picture.peaks is not None:
        yield _PictureRow("ticks", "time, s", draw_ticks(picture.begin, picture.length))
        yield _PictureRow("wave", "sound", draw_wave(picture.peaks))
        yield _PictureRow("units", "units", draw_spans(picture.units, picture.length, by_number=True))
    heading = '<b title="end of sentence and language symbol, which have no place on the line">other</b>'
    yield _PictureRow("sources", "subwords", draw_spans(picture.sources, picture.length), heading)


def _token_rows(picture: Picture) -> Iterator[_PictureRow]:
    for token, weights, elsewhere in zip(picture.tokens, picture.weights, picture.elsewhere.tolist(), strict=True):
        strongest = max(elsewhere, *weights.tolist())
        line = draw_weights(picture.sources, weights, picture.length, strongest)
        hint = f"{elsewhere:.0%} on no place of the line"
        yield _PictureRow("token", escape(token), line, _cell("left:0;width:100%", elsewhere, strongest, hint))


def draw_slider(stretch: int) -> str:
    """Sets how many pixels a second takes, in the browser alone; the line is never narrower than its place."""
    limits = f'min="{WHOLE}" max="{MOST}" value="{stretch}"'
    return f'<label class="hmst-slider">Stretch <input type="range" {limits} oninput="{SET_STRETCH}"></label>'


def draw_ticks(begin: float, length: float) -> str:
    """A mark each tenth of a second; those numbers show that have room for the step that they belong to."""
    marks = []
    for tenth in range(math.ceil(begin * 10 - 1e-6), int((begin + length) * 10 + 1e-6) + 1):
        step = next(step for step in TICK_STEPS if tenth % step == 0)
        place = _place(tenth / 10 - begin, (tenth + step) / 10 - begin, length)
        marks.append(f'<span class="hmst-tick" style="{place}"><b>{tenth / 10:g}</b></span>')
    return "".join(marks)


def draw_wave(peaks: np.ndarray) -> str:
    """One polygon that touches the edge of its row where the sound is loudest."""
    scaled = peaks / max(float(np.abs(peaks).max(initial=0)), 1e-3)
    upper = [f"{number},{-high:.2f}" for number, high in enumerate(scaled[:, 1].tolist())]
    lower = [f"{number},{-low:.2f}" for number, low in enumerate(scaled[:, 0].tolist())]
    shape = f'viewBox="0 -1 {max(len(peaks) - 1, 1)} 2" preserveAspectRatio="none"'
    return f'<svg {shape} role="img" aria-label="waveform"><polygon points="{" ".join(upper + lower[::-1])}"/></svg>'


def draw_spans(spans: Iterable[Span], length: float, by_number: bool = False) -> str:
    """Labelled boxes; `by_number`: labels are numbers, and equal ones have one colour."""
    boxes = []
    for span in spans:
        place = _place(span.start, span.end, length)
        if by_number:
            place += f";--hue:{int(span.label) * GOLDEN_ANGLE % 360:.0f}"
        inside = f"<b>{escape(span.label)}</b>" if span.label else ""
        boxes.append(f'<span class="hmst-box" style="{place}" title="{escape(span.hint)}">{inside}</span>')
    return "".join(boxes)


def draw_weights(sources: Sequence[Span], weights: np.ndarray, length: float, strongest: float) -> str:
    """One row of the alignment, a box on each source; full colour is the `strongest` weight."""
    return "".join(
        _cell(_place(span.start, span.end, length), weight, strongest, f"{weight:.0%} on {span.hint}")
        for span, weight in zip(sources, weights.tolist(), strict=True)
    )


def _cell(place: str, weight: float, strongest: float, hint: str) -> str:
    if weight < LEAST_WEIGHT:
        return ""
    return f'<i style="{place};opacity:{weight / strongest:.2f}" title="{escape(hint)}"></i>'


def _place(start: float, end: float, length: float) -> str:
    return f"left:{100 * start / length:.3f}%;width:{100 * (end - start) / length:.3f}%"
