"""Translation while the speaker is still speaking: the class `LiveTranslator`, and the command `hmst live`."""

from typing import TYPE_CHECKING

from ..lazy import imported_when_asked_for
from .update import Update

if TYPE_CHECKING:
    from .translator import LiveTranslator

__all__ = ["LiveTranslator", "Update"]

__getattr__ = imported_when_asked_for(__name__, {"LiveTranslator": ".translator"})
