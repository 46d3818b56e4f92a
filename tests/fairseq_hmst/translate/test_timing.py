"""Shares of time, and the bar that shows progress."""

import io
import sys

import pytest

from fairseq_hmst.translate import timing as timing_module
from fairseq_hmst.translate.progress import Progress
from fairseq_hmst.translate.timing import Timing


def test_what_is_measured_inside_counts_once(monkeypatch):
    clock = iter([0.0, 1.0, 4.0, 10.0])
    monkeypatch.setattr(timing_module.time, "perf_counter", lambda: next(clock))
    timing = Timing()
    with timing.measure("reading"), timing.measure("encoder"):
        pass
    assert timing.seconds == {"encoder": 3.0, "reading": 7.0}
    timing.audio_seconds = 20.0
    assert str(timing) == "real-time factor 0.500: 10.00 s for 20.00 s of audio (reading 70%, encoder 30%)"


def test_text_has_no_real_time_factor():
    timing = Timing()
    timing.seconds["decoding"] = 2.0
    assert str(timing) == "2.00 s (decoding 100%)"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "is_drawn"), [(Terminal, True), (io.StringIO, False)])
def test_the_bar_is_drawn_on_a_terminal_alone_and_ends_full(monkeypatch, stream, is_drawn):
    screen = stream()
    monkeypatch.setattr(sys, "stderr", screen)
    with Progress(10.6, "s", is_shown=True) as progress:
        progress.advance(2.3)
        progress.advance(0.9)
        progress.finish(5.0)
        progress.finish(5.6)
    assert ("11/11" in screen.getvalue()) == is_drawn
    assert bool(screen.getvalue()) == is_drawn
