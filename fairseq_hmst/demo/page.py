"""The page itself: Gradio's components and what happens when somebody uses them."""

import logging
from collections.abc import Callable
from typing import Any, Optional

import gradio as gr

from .answers import Answer, Choices, PageError, language_choices, translate_recording, translate_text
from .showing import segment_names, show_error, show_segment, show_text

logger = logging.getLogger(__name__)
FORGET_SECONDS = 600  # recordings are deleted from the server's disk after at most twice this time
UNEXPECTED = "Something went wrong that is not the fault of what you gave; the server's terminal says more."


def build_page(translator: Any, max_seconds: float) -> gr.Blocks:
    """The page for a Translator.

    Args:
        translator: fairseq_hmst.translate.Translator.
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

            def on_recording(path: Optional[str], *chosen: Any) -> list[Any]:
                return respond(
                    translator, lambda choices: translate_recording(translator, path, choices, max_seconds), chosen
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

            def on_text(line: str, *chosen: Any) -> list[Any]:
                return respond(translator, lambda choices: translate_text(translator, line, choices), chosen)

            gr.on(
                [text_button.click, text.submit],
                on_text,
                [text, *text_choices],
                text_outputs,
                concurrency_id="model",
                concurrency_limit=1,
            )
    return page


def _describe(translator: Any) -> str:
    card, data_bin = translator.folder.card, translator.task.data_bin
    pair = " → ".join(", ".join(data_bin.card["languages"][side]) for side in ("source", "target"))
    models = ", ".join(f"`{name}`" for name in card["architectures"])
    return f"{pair} · {models}, decoding by {translator.decoding} · data `{data_bin.signature}`"


def _build_choices(translator: Any) -> list[gr.components.Component]:
    """Source language, target language and size of the n-best list; languages are hidden where there is no choice."""
    data_bin = translator.task.data_bin
    beam = translator.options.generation(translator.folder.config["generation"])["beam"]
    with gr.Row():
        languages = []
        for side, label in (("source", "Source language"), ("target", "Translate into")):
            names = language_choices(data_bin, side)
            first = names[0] if names else None
            languages.append(gr.Dropdown(names, value=first, label=label, visible=bool(names), interactive=True))
        nbest = gr.Slider(1, beam, value=min(5, beam), step=1, label="Translations to show", visible=beam > 1)
    return [*languages, nbest]


def _build_outputs(translator: Any) -> list[gr.components.Component]:
    """What `respond` fills: the answer, its text, the choice of a segment, and the segment."""
    answer = gr.State(None)
    text = gr.HTML(elem_classes="hmst-output")
    segments = gr.Radio([], label="Segments", type="index", visible=False)
    detail = gr.HTML()

    def on_choice(answer: Answer, number: int) -> str:
        try:
            return show_segment(translator, answer, number)
        except Exception as error:
            return explain(error)

    segments.input(on_choice, [answer, segments], detail, concurrency_id="model", concurrency_limit=1)
    return [answer, text, segments, detail]


def respond(translator: Any, translate: Callable[[Choices], Answer], chosen: tuple[Any, ...]) -> list[Any]:
    """What goes into the outputs of `_build_outputs`, whatever happens."""
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
    """A PageError's own words; any other error goes to the log with its stack, and is only mentioned."""
    if isinstance(error, PageError):
        return show_error(str(error))
    logger.error("the page met an error that it does not know", exc_info=error)
    return show_error(UNEXPECTED)
