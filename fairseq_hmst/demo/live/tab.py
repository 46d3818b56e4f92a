"""The tab in which the browser's microphone is translated while somebody speaks.

`microphone.py` has the other end: it sends a piece of sound when the page has heard the one before. Gradio's own
streaming of `Audio` loses the sound that is spoken while a piece is computed, and that of the last half second.
"""

from functools import partial
from typing import TYPE_CHECKING

import gradio as gr

from ..answers import Choices, in_minutes
from ..language_fields import build_languages
from ..showing import NOTHING_YET, explain, show_stream
from .streams import FORGET_SECONDS, Piece, Stream, Streams

if TYPE_CHECKING:
    from ...translate.translator import Translator

BUTTON_ID = "live-piece"  # that microphone.py clicks
RECORDER = """
<div class="hmst-answer hmst-recorder">
  <p class="hmst-buttons">
    <button type="button" class="hmst-button hmst-record" onclick="hmst.record(this)">● Record</button>
    <meter class="hmst-level" max="1" aria-label="level of the sound"></meter>
  </p>
  <p class="hmst-note" role="status">{words}</p>
</div>
"""


def build_live(translator: "Translator", max_seconds: float) -> None:
    """Build the tab.

    Args:
        translator: whose model and options are used.
        max_seconds: of one recording.
    """
    streams = Streams(translator, max_seconds)
    words = f"Speak for up to {max_seconds / 60:g} minutes. What is grey may still change."
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            gr.HTML(RECORDER.format(words=words))
            languages = build_languages(translator)
        with gr.Column(scale=3, min_width=300):
            text = gr.HTML(NOTHING_YET, elem_classes="hmst-output", elem_id="live")
    stream = gr.State(None, time_to_live=FORGET_SECONDS, delete_callback=streams.end)
    piece, reply = gr.JSON(visible="hidden"), gr.JSON(visible="hidden")
    button = gr.Button("Hear a piece", visible="hidden", elem_id=BUTTON_ID)
    button.click(
        partial(hear, streams),
        [stream, piece, *languages],
        [stream, text, reply],
        js="(stream, piece, ...languages) => [stream, hmst.recording?.sent ?? null, ...languages]",
        api_name="on_piece",
        api_visibility="undocumented",
        show_progress="hidden",
        trigger_mode="multiple",  # the next one may be asked for before Gradio has put the last one away
        concurrency_id="model",
        concurrency_limit=1,
    ).then(None, reply, None, js="reply => { hmst.recording?.heard(reply); }")


def hear(
    streams: Streams, stream: Stream | None, given: object, source: str | None, target: str | None
) -> list[object]:
    """Contents of the outputs: stream, its text, and the reply to the browser; whatever happens.

    Args:
        streams: of all visitors.
        stream: of this one; None: there is none.
        given: a piece as `Piece.read` takes it, and its number in the page, which the reply has too.
        source: language that is spoken, where the model has several.
        target: language to translate into, where the model has several.
    """
    reply = {"number": given.get("number") if isinstance(given, dict) else None, "over": True, "words": ""}
    try:
        piece = Piece.read(given)
        if piece.is_first:
            streams.end(stream)
            stream = None
        stream = streams.hear(stream, piece, Choices(source_language=source, target_language=target))
        text = show_stream(stream)
    except Exception as error:
        streams.end(stream)
        said = show_stream(stream) if stream is not None and stream.text else ""
        return [None, said + explain(error), reply]
    if stream.is_cut:
        reply["words"] = f"The page hears no more than {in_minutes(stream.seconds)} at once; record again to go on."
    return [None if stream.is_over else stream, text, reply | {"over": stream.is_over}]
