"""A description of the page's model as HTML, from its card and the search in use."""

from html import escape
from typing import TYPE_CHECKING

from ..model_folder.families import FAMILIES
from .heads import DECODINGS
from .languages import language_names

if TYPE_CHECKING:
    from ..translate.translator import Translator


def show_about(translator: "Translator") -> str:
    """A table of the model: its name, kind, size, languages, decoding, speech encoder and data."""
    card = translator.folder.card
    settings = translator.options.over(translator.folder.config.generation)
    rows = {
        "Model": translator.folder.path.name,
        "Kind": ", ".join(FAMILIES[name] for name in card.architectures),
        "Parameters": f"{card.parameters:,}",
        "From": language_names(card.languages.source),
        "Into": language_names(card.languages.target),
        "Decoding": f"{DECODINGS[translator.decoding]}, beam {settings.beam}",
        "Speech encoder": _encoder(translator),
        "Data": card.signature,
        "Written by": f"fairseq_hmst {card.versions.fairseq_hmst}, torch {card.versions.torch}",
    }
    cells = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
    note = "Scores and limitations are in the README.md of the model's folder."
    return f'<div class="hmst-answer"><table class="hmst-table">{cells}</table><p class="hmst-note">{note}</p></div>'


def _encoder(translator: "Translator") -> str:
    encoder = translator.folder.card.encoder
    if encoder is None:
        return "not known"
    return "none, its units are clusters of MFCC" if encoder.is_mfcc else f"{encoder.name}, layer {encoder.layer}"
