"""The start from a pretrained text model of others, fitted to a data-bin."""

from typing import TYPE_CHECKING

from ..lazy import imported_when_asked_for
from .options import TextStartOptions

if TYPE_CHECKING:
    from .start import read_text_model

__all__ = ["TextStartOptions", "read_text_model"]

__getattr__ = imported_when_asked_for(__name__, {"read_text_model": ".start"})
