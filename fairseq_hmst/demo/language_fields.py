"""The fields of languages, which all tabs have."""

from typing import TYPE_CHECKING, Literal

import gradio as gr

from .answers import language_choices
from .languages import language_name

if TYPE_CHECKING:
    from ..translate.translator import Translator

SIDES: dict[Literal["source", "target"], str] = {"source": "Source language", "target": "Translate into"}


def build_languages(translator: "Translator") -> list[gr.components.Component]:
    """Source and target language; what leaves no choice is hidden."""
    codes = {side: language_choices(translator.task.data_bin, side) for side in SIDES}
    with gr.Row(visible=any(codes.values())):
        return [
            gr.Dropdown(
                [(language_name(code), code) for code in codes[side]],
                value=codes[side][0] if codes[side] else None,
                label=label,
                visible=bool(codes[side]),
                interactive=True,
            )
            for side, label in SIDES.items()
        ]
