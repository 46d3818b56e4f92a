"""Translations of recordings and text: the class `Translator`, and the command `hmst translate`."""

from typing import TYPE_CHECKING

from ..lazy import imported_when_asked_for
from ..model_folder.errors import ModelFolderError
from .errors import TranslationError
from .results import Segment, Translation

if TYPE_CHECKING:
    from .translator import Translator

__all__ = ["ModelFolderError", "Segment", "Translation", "TranslationError", "Translator"]

__getattr__ = imported_when_asked_for(__name__, {"Translator": ".translator"})
