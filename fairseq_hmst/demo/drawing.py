"""A Picture as HTML.

Everything has its place in percent of one line, so that this can be stretched until it is readable. Colours and sizes
are in `style`, what the handlers do in `script`. Text goes through `escape`, since it comes from models and files.
"""

import base64
import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from .picture import Picture, Span

LEAST_WEIGHT = 0.01  # a fainter box is not drawn: nobody would see it, and a long picture has thousands
GOLDEN_ANGLE = 137.508  # degrees: neighbouring numbers get hues far apart
PIXELS_PER_WORD = 56
MOST_ZOOM_PER_SECOND = 1.5  # of the line; some 20 pixels for a frame of 20 ms, where the page is 700 wide
TICK_STEPS = (100, 50, 10, 5, 1)  # tenths of a second


class _PictureRow(NamedTuple):
    """HTML of one row: its name at the left, its line, a cell at the right."""

    kind: str
    name: str
    line: str
    beside: str = ""


def draw(picture: Picture) -> str:
    """The picture, which fits its place at first; where it has sound, with a player and a slider that stretches it."""
    rows = [*_source_rows(picture), *_token_rows(picture)]
    names = _draw_column("names", rows, [row.name for row in rows])
    lines = _draw_column("lines", rows, [row.line for row in rows], '<span class="hmst-cursor"></span>')
    beside = _draw_column("beside", rows, [row.beside for row in rows])
    if picture.peaks is None:
        tools, least = "", round(picture.length * PIXELS_PER_WORD)
    else:
        tools, least = draw_tools(picture.length, picture.flac), 0
    scroll = f'<div class="hmst-scroll" tabindex="0" role="group" aria-label="alignment">{lines}</div>'
    style = f"--zoom:1;--at:0;--least:{least}px"
    return (
        f'<div class="hmst-picture" style="{style}">{tools}<div class="hmst-grid">{names}{scroll}{beside}</div></div>'
    )


def _draw_column(name: str, rows: Iterable[_PictureRow], cells: Iterable[str], over: str = "") -> str:
    inside = (f'<div class="hmst-row hmst-{row.kind}">{cell}</div>' for row, cell in zip(rows, cells, strict=True))
    handler = ' onclick="hmst.playFrom(event)"' if name == "lines" else ""
    return f'<div class="hmst-{name}"{handler}>{"".join(inside)}{over}</div>'


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


def draw_tools(length: float, flac: bytes) -> str:
    """A button that plays the sound, and a slider for the zoom."""
    most = max(2, math.ceil(length * MOST_ZOOM_PER_SECOND))
    sound = f"data:audio/flac;base64,{base64.b64encode(flac).decode()}"
    return (
        '<div class="hmst-tools"><button type="button" class="hmst-play hmst-button" onclick="hmst.toggle(this)">▶ Play'
        f'</button><audio src="{sound}" onplay="hmst.follow(this)" onpause="hmst.rest(this)"></audio>'
        f'<label class="hmst-zoom">Zoom <input type="range" min="1" max="{most}" step="0.1" value="1" '
        'oninput="hmst.zoom(this)"></label></div>'
    )


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
