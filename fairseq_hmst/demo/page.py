"""The page itself: Gradio's components and what happens when somebody uses them."""

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from starlette.middleware import Middleware

from .about import show_about
from .answers import Answer, Choices, translate_recording, translate_text
from .guard import Guard
from .language_fields import build_languages
from .languages import language_names
from .live.microphone import MICROPHONE
from .live.tab import build_live
from .options import DemoOptions
from .recordings_folder import bytes_in
from .script import SCRIPT
from .showing import NOTHING_YET, explain, segment_names, show_segment, show_text
from .style import CSS

if TYPE_CHECKING:
    from ..translate.translator import Translator

MAX_FILES = 20  # of the largest size, that the folder of recordings may hold at once
MAX_WAITING = 20  # requests for the model

Chosen = tuple[str | None, str | None, float]  # source language, target language, translations to show
Start = Callable[..., gr.events.Dependency]


def build_page(translator: "Translator", options: DemoOptions) -> gr.Blocks:
    """The page for a Translator.

    Args:
        translator: translates what is given.
        options: bounds of what may be given.
    """
    with gr.Blocks(title="Speech translation", analytics_enabled=False) as page:
        gr.HTML(f'<div class="hmst-title"><h1>Speech translation</h1><p>{escape(_languages(translator))}</p></div>')
        with gr.Tab("Speech"):
            _build_speech(translator, options.max_seconds)
        if not translator.model.speech.is_lacking:
            with gr.Tab("Live"):
                build_live(translator, options.max_seconds)
        with gr.Tab("Text"):
            _build_text(translator, options.max_characters)
        with gr.Accordion("About this model", open=False):
            gr.HTML(show_about(translator))
    return page.queue(max_size=MAX_WAITING)


def serve(page: gr.Blocks, options: DemoOptions, examples: Sequence[Path], folder: Path) -> str:
    """Start serving the page in threads of this process; returns its address.

    Args:
        page: of `build_page`.
        options: where and to whom to serve it.
        examples: the translator's example recordings, which the page may read where they are.
        folder: of `recordings_folder`.

    Raises:
        OSError: the port is taken.
        OptionError: the logins cannot be read.
    """

    def has_room(count: int) -> bool:
        """Whether so many bytes more may be uploaded."""
        return bytes_in(folder) + count <= MAX_FILES * options.max_bytes

    host = options.host.strip("[]")
    guard = Middleware(
        Guard,
        names=options.host_names,
        any_address=options.has_any_address,
        max_upload_bytes=options.max_bytes,
        has_room=has_room,
    )
    _, address, _ = page.launch(
        server_name=f"[{host}]" if ":" in host else host,
        app_kwargs={"middleware": [guard]},
        auth=options.read_logins(),
        max_file_size=options.max_bytes,
        show_error=False,
        server_port=options.port,
        share=False,
        ssr_mode=False,
        footer_links=[],
        quiet=True,
        # the style as `css` would lose what Gradio does not know of CSS
        head=f"<style>{CSS}</style><script>{SCRIPT}{MICROPHONE}</script>",
        theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        prevent_thread_lock=True,
        allowed_paths=[str(path) for path in examples],
    )
    page.server.config.timeout_graceful_shutdown = 1  # an open page keeps its connections
    return address


def _build_speech(translator: "Translator", max_seconds: float) -> None:
    def on_recording(path: str | None, source: str | None, target: str | None, nbest: float) -> list[object]:
        """Answer a recording."""
        return respond(
            lambda choices: translate_recording(translator, path, choices, max_seconds), (source, target, nbest)
        )

    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            recording = gr.Audio(
                sources=["upload", "microphone"],
                type="filepath",
                label=f"Choose a file or record, up to {max_seconds / 60:g} minutes",
                buttons=[],
                elem_id="recording",
            )
            examples = _build_examples(translator.folder.examples, recording)
            button, choices = _build_choices(translator)
        text = _build_text_output()
    triggers = [button.click, recording.upload, recording.stop_recording]
    starts: list[Start] = [partial(gr.on, triggers), *(example.then for example in examples)]
    _connect(translator, starts, on_recording, [recording, *choices], text)


def _build_examples(paths: Sequence[Path], recording: gr.Audio) -> list[gr.events.Dependency]:
    """A button for each example, which puts it where a recording goes; the events that are then to be answered."""
    if not paths:
        return []
    with gr.Row():
        buttons = [gr.Button(f"Example: {path.stem}", size="sm", min_width=120) for path in paths]
    return [
        button.click(partial(str, path), None, recording, api_visibility="private")
        for button, path in zip(buttons, paths, strict=True)
    ]


def _build_text(translator: "Translator", max_characters: int) -> None:
    def on_text(line: str, source: str | None, target: str | None, nbest: float) -> list[object]:
        """Answer a text."""
        return respond(
            lambda choices: translate_text(translator, line, choices, max_characters), (source, target, nbest)
        )

    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            label = f"Source text, up to {max_characters} characters"
            written = gr.Textbox(label=label, lines=2, elem_id="text")
            button, choices = _build_choices(translator)
        text = _build_text_output()
    _connect(translator, [partial(gr.on, [button.click, written.submit])], on_text, [written, *choices], text)


def _build_text_output() -> gr.HTML:
    with gr.Column(scale=3, min_width=300):
        return gr.HTML(NOTHING_YET, elem_classes="hmst-output")


def _build_choices(translator: "Translator") -> tuple[gr.Button, list[gr.components.Component]]:
    """The button, and source language, target language and size of the n-best list; what leaves no choice is hidden."""
    beam = translator.options.over(translator.folder.config.generation).beam
    languages = build_languages(translator)
    button = gr.Button("Translate", variant="primary")
    with gr.Accordion("Options", open=False, visible=beam > 1):
        nbest = gr.Slider(1, beam, value=min(5, beam), step=1, label="Translations to show")
    return button, [*languages, nbest]


def _connect(
    translator: "Translator",
    starts: Sequence[Start],
    on_input: Callable[..., list[object]],
    inputs: Sequence[gr.components.Component],
    text: gr.HTML,
) -> None:
    """Build the place of the segments, and fill it and the text when something starts: first the answer, then the rest.

    Args:
        translator: that answers.
        starts: take a function, its inputs and outputs, and run it when something happens.
        on_input: from inputs to the contents that `respond` gives.
        inputs: of it.
        text: the place of the whole translation.
    """
    answer = gr.State(None)
    segments = gr.Radio([], label="Segments", type="index", visible=False)
    detail = gr.HTML()

    def on_choice(answer: Answer | None, number: int | None) -> str:
        """Show a segment, the first where there is no choice."""
        return show_detail(translator, answer, number or 0)

    shows: list[Start] = [segments.input]
    for start in starts:
        answered = start(
            on_input, [*inputs], [answer, text, segments, detail], concurrency_id="model", concurrency_limit=1
        )
        shows.append(answered.then)
    for show in shows:
        show(on_choice, [answer, segments], detail, concurrency_id="model", concurrency_limit=1)


def respond(translate: Callable[[Choices], Answer], chosen: Chosen) -> list[object]:
    """Contents of the outputs: answer, its text, choice of a segment, and no segment yet; whatever happens."""
    source_language, target_language, nbest = chosen
    try:
        answer = translate(Choices(int(nbest), source_language, target_language))
        text = show_text(answer)
    except Exception as error:
        return [None, explain(error), gr.Radio([], visible=False), ""]
    names = [] if answer.recording is None else segment_names(answer)
    is_choice = len(names) > 1
    segments = gr.Radio(names if is_choice else [], value=names[0] if is_choice else None, visible=is_choice)
    return [answer, text, segments, ""]


def show_detail(translator: "Translator", answer: Answer | None, number: int) -> str:
    """One segment of an answer, whatever happens; nothing where there is none."""
    if answer is None or not answer.translation.segments:
        return ""
    try:
        return show_segment(translator, answer, number)
    except Exception as error:
        return explain(error)


def _languages(translator: "Translator") -> str:
    data_bin = translator.task.data_bin
    return f"{language_names(data_bin.source_languages)} → {language_names(data_bin.target_languages)}"
