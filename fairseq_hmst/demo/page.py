"""The page itself: Gradio's components and what happens when somebody uses them."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import gradio as gr

from .answers import Answer, Choices, PageError, language_choices, translate_recording, translate_text
from .options import DemoOptions
from .showing import segment_names, show_error, show_segment, show_text
from .style import CSS

if TYPE_CHECKING:
    from ..translate.translator import Translator

logger = logging.getLogger(__name__)
FORGET_SECONDS = 600  # recordings are deleted from the server's disk after at most twice this time
UNEXPECTED = "Something went wrong that is not the fault of what you gave; the server's terminal says more."


Chosen = tuple[str | None, str | None, float]  # source language, target language, translations to show
SIDES: dict[Literal["source", "target"], str] = {"source": "Source language", "target": "Translate into"}


def build_page(translator: "Translator", max_seconds: float) -> gr.Blocks:
    """The page for a Translator.

    Args:
        translator: translates what is given.
        max_seconds: longest recording.
    """
    with gr.Blocks(title="Speech translation", analytics_enabled=False, delete_cache=(FORGET_SECONDS,) * 2) as page:
        gr.Markdown(f"# Speech translation\n{_describe(translator)}")
        with gr.Tab("Speech"):
            recording = gr.Audio(
                sources=["upload", "microphone"],
                type="filepath",
                label=f"Choose a file or record, up to {max_seconds / 60:g} minutes",
                buttons=[],
                elem_id="recording",
            )
            choices = _build_choices(translator)
            button = gr.Button("Translate", variant="primary")
            outputs = _build_outputs(translator)

            def on_recording(path: str | None, source: str | None, target: str | None, nbest: float) -> list[object]:
                """Answer a recording."""
                return respond(
                    translator,
                    lambda choices: translate_recording(translator, path, choices, max_seconds),
                    (source, target, nbest),
                )

            gr.on(
                [button.click, recording.upload, recording.stop_recording],
                on_recording,
                [recording, *choices],
                outputs,
                concurrency_id="model",
                concurrency_limit=1,
            )
        with gr.Tab("Text"):
            text = gr.Textbox(label="Source text", lines=2, elem_id="text")
            text_choices = _build_choices(translator)
            text_button = gr.Button("Translate", variant="primary")
            text_outputs = _build_outputs(translator)

            def on_text(line: str, source: str | None, target: str | None, nbest: float) -> list[object]:
                """Answer a text."""
                return respond(
                    translator, lambda choices: translate_text(translator, line, choices), (source, target, nbest)
                )

            gr.on(
                [text_button.click, text.submit],
                on_text,
                [text, *text_choices],
                text_outputs,
                concurrency_id="model",
                concurrency_limit=1,
            )
    return page


def serve(page: gr.Blocks, options: DemoOptions) -> str:
    """Start serving the page in threads of this process; returns its address.

    Raises:
        OSError: the port is taken.
    """
    _, address, _ = page.launch(
        server_name=options.host,
        server_port=options.port,
        share=False,
        ssr_mode=False,
        footer_links=[],
        quiet=True,
        head=f"<style>{CSS}</style>",  # as `css` it would lose what Gradio does not know of CSS
        theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        prevent_thread_lock=True,
    )
    return address


def _describe(translator: "Translator") -> str:
    data_bin = translator.task.data_bin
    pair = " → ".join(", ".join(languages) for languages in (data_bin.source_languages, data_bin.target_languages))
    models = ", ".join(f"`{name}`" for name in translator.folder.card.architectures)
    return f"{pair} · {models}, decoding by {translator.decoding} · data `{data_bin.signature}`"


def _build_choices(translator: "Translator") -> list[gr.components.Component]:
    """Source language, target language and size of the n-best list; languages are hidden where there is no choice."""
    data_bin = translator.task.data_bin
    beam = translator.options.over(translator.folder.config.generation).beam
    with gr.Row():
        languages = []
        for side, label in SIDES.items():
            names = language_choices(data_bin, side)
            first = names[0] if names else None
            languages.append(gr.Dropdown(names, value=first, label=label, visible=bool(names), interactive=True))
        nbest = gr.Slider(1, beam, value=min(5, beam), step=1, label="Translations to show", visible=beam > 1)
    return [*languages, nbest]


def _build_outputs(translator: "Translator") -> list[gr.components.Component]:
    """Outputs that `respond` fills: the answer, its text, the choice of a segment, and the segment."""
    answer = gr.State(None)
    text = gr.HTML(elem_classes="hmst-output")
    segments = gr.Radio([], label="Segments", type="index", visible=False)
    detail = gr.HTML()

    def on_choice(answer: Answer, number: int) -> str:
        """Show another segment."""
        try:
            return show_segment(translator, answer, number)
        except Exception as error:
            return explain(error)

    segments.input(on_choice, [answer, segments], detail, concurrency_id="model", concurrency_limit=1)
    return [answer, text, segments, detail]


def respond(translator: "Translator", translate: Callable[[Choices], Answer], chosen: Chosen) -> list[object]:
    """Contents of the outputs of `_build_outputs`, whatever happens."""
    source_language, target_language, nbest = chosen
    try:
        answer = translate(Choices(int(nbest), source_language, target_language))
        detail = show_segment(translator, answer, 0) if answer.translation.segments else ""
    except Exception as error:
        return [None, explain(error), gr.Radio([], visible=False), ""]
    names = [] if answer.recording is None else segment_names(answer)
    is_choice = len(names) > 1
    segments = gr.Radio(names if is_choice else [], value=names[0] if is_choice else None, visible=is_choice)
    return [answer, show_text(answer), segments, detail]


def explain(error: Exception) -> str:
    """Show a PageError's own words; any other error goes to the log with its stack, and is only mentioned."""
    if isinstance(error, PageError):
        return show_error(str(error))
    logger.error("the page met an error that it does not know", exc_info=error)
    return show_error(UNEXPECTED)
