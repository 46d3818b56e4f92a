"""Answers as HTML: text, faults, and all that there is to see of a segment."""

import base64
import logging
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from ..translate.formats import Json, as_srt
from ..translate.results import Segment
from .answers import Answer, PageError, in_minutes
from .drawing import draw
from .heads import DECODINGS, HeadAnswer, compare_heads
from .picture import make_picture

if TYPE_CHECKING:
    from ..translate.translator import Translator
    from .live.streams import Stream

logger = logging.getLogger(__name__)
LEGENDS = {
    "attention": "the more the decoder looked there when it wrote the token (last layer, mean of its heads)",
    "ctc": "the more of the token's encoder steps fall there, by CTC",
    "transducer": "the more probable it is that the token was emitted there",
}
LEGENDS["joint"] = LEGENDS["attention"]
NO_WORDS = "(no words)"
NOTHING_YET = '<p class="hmst-note">The translation appears here.</p>'
UNEXPECTED = "Something went wrong that is not the fault of what you gave; the server's terminal says more."


def show_text(answer: Answer) -> str:
    """The whole translation, what the model heard, and buttons to copy and download."""
    translation = answer.translation
    if not translation.segments:
        return f'<div class="hmst-answer">{_note("Nobody speaks in this recording.")}</div>'
    parts = [f'<p class="hmst-text">{escape(translation.text) or NO_WORDS}</p>']
    if translation.transcript is not None:
        parts.append(f'<p class="hmst-heard"><span>Heard:</span> {escape(translation.transcript) or NO_WORDS}</p>')
    copy = '<button type="button" class="hmst-button" onclick="hmst.copy(this)">Copy</button>'
    return f'<div class="hmst-answer">{"".join(parts)}<p class="hmst-buttons">{copy}{_downloads(answer)}</p></div>'


def show_segment(translator: "Translator", answer: Answer, number: int) -> str:
    """One segment: the answers of all heads, n-best list and alignment.

    Raises:
        TranslationError: the segment is too long for the model.
    """
    segment = answer.translation.segments[number]
    parts = []
    if len(answer.translation.segments) > 1 and segment.transcript is not None:
        parts.append(f"<h3>Heard in this segment</h3><p>{escape(segment.transcript) or NO_WORDS}</p>")
    heads = compare_heads(translator, answer, number)
    if heads:
        parts.append("<h3>The heads side by side</h3>" + _heads(heads, translator.decoding))
    parts.append("<h3>Best translations</h3>" + _nbest(segment))
    parts.append("<h3>Where each token comes from</h3>" + _alignment(translator, answer, segment))
    return f'<div class="hmst-answer">{"".join(parts)}</div>'


def show_stream(stream: "Stream") -> str:
    """The translation of a stream: what is certain, and behind it in grey the rest."""
    if not stream.text and not stream.open:
        return f'<div class="hmst-answer">{_note(NO_WORDS if stream.is_over else "Nothing was said yet.")}</div>'
    rest = f'<span class="hmst-open">{escape(stream.open)}</span>' if stream.open else ""
    return f'<div class="hmst-answer"><p class="hmst-text">{escape(stream.text)}{rest}</p></div>'


def show_error(words: str) -> str:
    """A fault."""
    return f'<div class="hmst-answer"><div class="hmst-error" role="alert">{escape(words)}</div></div>'


def explain(error: Exception) -> str:
    """Show a PageError's own words; any other error goes to the log with its stack, and is only mentioned."""
    if isinstance(error, PageError):
        return show_error(str(error))
    logger.error("the page met an error that it does not know", exc_info=error)
    return show_error(UNEXPECTED)


def segment_names(answer: Answer) -> list[str]:
    """A line a segment, such as `0:02.1 – 0:04.0  Bonjour`."""
    return [
        f"{in_minutes(segment.start or 0)} – {in_minutes(segment.end or 0)}  {segment.text or NO_WORDS}"
        for segment in answer.translation.segments
    ]


def _downloads(answer: Answer) -> str:
    """Links to files that the page holds itself: JSON, and of a recording subtitles."""
    lines: list[str] = []
    is_text = answer.recording is None
    name = "translation" if answer.recording is None else answer.recording.stem
    source = answer.translation.source if answer.recording is None else answer.recording.name
    writer = Json(lines.append, is_text)
    writer.add(replace(answer.translation, source=source))  # not where the server keeps it
    writer.close()
    json = _download(f"{name}.json", "JSON", "\n".join(lines))
    return json if is_text else _download(f"{name}.srt", "SRT", as_srt(answer.translation)) + json


def _download(name: str, label: str, content: str) -> str:
    data = base64.b64encode(f"{content}\n".encode()).decode()
    link = f'download="{escape(name)}" href="data:application/octet-stream;base64,{data}"'
    return f'<a class="hmst-button" {link}>Download {label}</a>'


def _heads(heads: Sequence[HeadAnswer], in_use: str) -> str:
    columns = "".join(
        f'<div class="hmst-head">{_note(_title(head.decoding, in_use))}<p>{escape(head.text) or NO_WORDS}</p>'
        f"{_note(f'{head.seconds:.2f} s')}</div>"
        for head in heads
    )
    return f'<div class="hmst-heads">{columns}</div>{_note("Times are those of encoder and search.")}'


def _title(decoding: str, in_use: str) -> str:
    name = DECODINGS[decoding]
    return f"{name[0].upper()}{name[1:]}{' (the answer above)' if decoding == in_use else ''}"


def _nbest(segment: Segment) -> str:
    rows = (
        f'<tr><td class="hmst-number">{hypothesis.score:.3f}</td><td>{escape(hypothesis.text)}</td></tr>'
        for hypothesis in segment.nbest
    )
    heading = '<tr><th title="log-probability by length, in nats: nearer to 0 is better">score</th><th>text</th></tr>'
    return f'<table class="hmst-table hmst-nbest">{heading}{"".join(rows)}</table>'


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
        "Rest the mouse on a box to read its numbers." + (" Click to hear it from there." if answer.recording else "")
    )


def _note(text: str) -> str:
    return f'<p class="hmst-note">{escape(text)}</p>'
