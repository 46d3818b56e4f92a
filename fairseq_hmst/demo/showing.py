"""Answers as HTML: text, faults, and all that there is to see of a segment."""

from html import escape
from typing import TYPE_CHECKING

from ..translate.results import Segment
from .answers import Answer, in_minutes
from .drawing import draw
from .picture import make_picture

if TYPE_CHECKING:
    from ..translate.translator import Translator

LEGENDS = {
    "attention": "the more the decoder looked there when it wrote the token (last layer, mean of its heads)",
    "ctc": "the more of the token's encoder steps fall there, by CTC",
    "transducer": "the more probable it is that the token was emitted there",
}
LEGENDS["joint"] = LEGENDS["attention"]
NO_WORDS = "(no words)"


def show_text(answer: Answer) -> str:
    """The whole translation."""
    if not answer.translation.segments:
        return f'<div class="hmst-answer">{_note("Nobody speaks in this recording.")}</div>'
    text = escape(answer.translation.text) or NO_WORDS
    return f'<div class="hmst-answer"><p class="hmst-text">{text}</p></div>'


def show_segment(translator: "Translator", answer: Answer, number: int) -> str:
    """One segment: guess at the transcript, n-best list and alignment."""
    segment = answer.translation.segments[number]
    parts = []
    if answer.recording is not None:
        parts.append("<h3>Transcript, as far as the model can tell</h3>" + _transcript(segment))
    parts.append("<h3>Best translations</h3>" + _nbest(segment))
    parts.append("<h3>Where each token comes from</h3>" + _alignment(translator, answer, segment))
    return f'<div class="hmst-answer">{"".join(parts)}</div>'


def show_error(words: str) -> str:
    """A fault."""
    return f'<div class="hmst-answer"><div class="hmst-error" role="alert">{escape(words)}</div></div>'


def segment_names(answer: Answer) -> list[str]:
    """A line a segment, such as `0:02.1 – 0:04.0  Bonjour`."""
    return [
        f"{in_minutes(segment.start or 0)} – {in_minutes(segment.end or 0)}  {segment.text or NO_WORDS}"
        for segment in answer.translation.segments
    ]


def _transcript(segment: Segment) -> str:
    if segment.transcript is None:
        return _note("This model makes no guess: it has no CTC on the source transcript.")
    return f"<p>{escape(segment.transcript) or NO_WORDS}</p>"


def _nbest(segment: Segment) -> str:
    rows = (
        f'<tr><td class="hmst-number">{hypothesis.score:.3f}</td><td>{escape(hypothesis.text)}</td></tr>'
        for hypothesis in segment.nbest
    )
    heading = '<tr><th title="log-probability by length, in nats: nearer to 0 is better">score</th><th>text</th></tr>'
    return f'<table class="hmst-nbest">{heading}{"".join(rows)}</table>'


def _alignment(translator: "Translator", answer: Answer, segment: Segment) -> str:
    if answer.recording is not None and not answer.recording.exists():
        return _note("The page has deleted the recording meanwhile; translate it again.")
    try:
        language = answer.choices.target_language
        picture = make_picture(translator, segment, segment.nbest[0], language, answer.recording)
    except ValueError as error:
        return _note(f"It cannot be shown: {error}.")
    return draw(picture) + _note(
        "Each row is a token of the best translation. The stronger the colour of a box, "
        f"{LEGENDS[translator.decoding]}; full colour is the strongest of the row. "
        "Rest the mouse on a box to read its numbers."
    )


def _note(text: str) -> str:
    return f'<p class="hmst-note">{escape(text)}</p>'
