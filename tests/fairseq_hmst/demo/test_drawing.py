"""Pictures as HTML: what stands where, how strong its colour is, and that no text breaks out of it."""

import base64
import re
from dataclasses import replace

import numpy as np
import pytest

from fairseq_hmst.demo.drawing import draw, draw_spans, draw_ticks, draw_wave, draw_weights
from fairseq_hmst.demo.picture import Picture, Span

HALVES = [Span(0.0, 1.0, "", "units 5 3"), Span(1.0, 2.0, "", "units 7")]


def picture(tokens=("▁le", "▁chat"), peaks=((-0.5, 0.5), (0.0, 0.25))):
    weights = np.array([[0.5, 0.25], [0.005, 0.8]])[: len(tokens)]
    elsewhere = np.array([0.25, 0.195])[: len(tokens)]
    units = [Span(0.0, 0.5, "5", "unit 5"), Span(0.5, 1.0, "3", "unit 3"), Span(1.0, 2.0, "5", "unit 5")]
    return Picture(2.0, HALVES, tokens, weights, elsewhere, units, 0.0, None if peaks is None else np.array(peaks))


def styles(html):
    return re.findall(r'style="([^"]*)"', html)


def test_spans_lie_where_their_times_are():
    assert styles(draw_spans(HALVES, 4.0)) == ["left:0.000%;width:25.000%", "left:25.000%;width:25.000%"]


def test_equal_units_have_one_colour_and_others_another():
    hues = [style.split("--hue:")[1] for style in styles(draw_spans(picture().units, 2.0, by_number=True))]
    assert hues[0] == hues[2] != hues[1]


def test_boxes_are_as_strong_as_their_weight_and_faint_ones_are_left_out():
    html = draw_weights(HALVES, np.array([0.4, 0.2]), 2.0, strongest=0.8)
    assert [style.split("opacity:")[1] for style in styles(html)] == ["0.50", "0.25"]
    assert 'title="40% on units 5 3"' in html
    assert draw_weights(HALVES, np.array([0.004, 0.0]), 2.0, strongest=0.8) == ""


def test_the_wave_touches_the_edge_at_its_loudest_and_silence_is_a_line():
    points = re.search(r'points="([^"]*)"', draw_wave(np.array([[-0.5, 0.5], [0.0, 0.25]])))[1]
    assert points == "0,-1.00 1,-0.50 1,-0.00 0,1.00"
    assert "nan" not in draw_wave(np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("begin", "length", "expected"), [(0.0, 0.25, "0 0.1 0.2"), (0.3, 0.2, "0.3 0.4 0.5"), (18.65, 0.2, "18.7 18.8")]
)
def test_each_tenth_of_a_second_of_the_file_has_its_mark(begin, length, expected):
    assert re.findall(r"<b>([^<]*)</b>", draw_ticks(begin, length)) == expected.split()


def test_marks_belong_to_the_coarsest_step_that_they_are_a_multiple_of():
    places = [re.findall(r"[\d.]+", style) for style in styles(draw_ticks(5.0, 10.0))]
    widths = {float(left): float(width) for left, width in places}
    assert [widths[percent] for percent in (0, 1, 5, 10, 50)] == [50, 1, 5, 10, 100]  # at 5, 5.1, 5.5, 6 and 10 s


def test_the_line_fits_its_place_at_first_and_a_long_one_can_be_zoomed_further():
    zooms = [re.search(r'max="(\d+)" step="0.1" value="1"', draw(replace(picture(), length=s))) for s in (2.0, 60.0)]
    assert [int(zoom[1]) for zoom in zooms] == [3, 90]


def test_the_picture_holds_its_sound():
    sound = re.search(r'src="data:audio/flac;base64,([^"]*)"', draw(replace(picture(), flac=b"fLaC...")))
    assert base64.b64decode(sound[1]) == b"fLaC..."


def test_a_row_a_token_beside_time_wave_units_and_subwords():
    html = draw(picture())
    kinds = re.findall(r'hmst-row hmst-(\w+)"', html)
    assert kinds == ["ticks", "wave", "units", "sources", "token", "token"] * 3  # names, lines, beside
    assert html.count("<i ") == 3 + 2  # one of the four weights is too faint
    assert "▁chat" in html and 'type="range"' in html


def test_text_has_no_time_and_nothing_to_zoom_or_play():
    html = draw(picture(peaks=None))
    assert "hmst-wave" not in html and 'type="range"' not in html and "<audio" not in html


def test_a_translation_without_tokens_is_drawn():
    html = draw(picture(tokens=()))
    assert "hmst-units" in html and "hmst-token" not in html


def test_markup_in_text_stays_text():
    evil = '<script>alert("x")</script>'
    assert "<script" not in draw(picture(tokens=(evil, evil)))
    assert "<script" not in draw_spans([Span(0.0, 1.0, evil, evil)], 1.0)
    cell = draw_weights([Span(0.0, 1.0, "", evil)], np.array([1.0]), 1.0, 1.0)
    assert 'title="100% on &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"' in cell
