"""A model folder from checkpoints: the command `hmst export`, and `export` in Python."""

from typing import TYPE_CHECKING

from ..lazy import imported_when_asked_for
from .options import ExportOptions

if TYPE_CHECKING:
    from .exported_model import export

__all__ = ["ExportOptions", "export"]

__getattr__ = imported_when_asked_for(__name__, {"export": ".exported_model"})
