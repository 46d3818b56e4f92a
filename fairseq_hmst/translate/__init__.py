"""Translations of recordings and text: the class `Translator`, and the command `hmst-translate`."""

from ..model_folder.errors import ModelFolderError
from .errors import TranslationError
from .results import Segment, Translation
from .translator import Translator

__all__ = ["ModelFolderError", "Segment", "Translation", "TranslationError", "Translator"]
