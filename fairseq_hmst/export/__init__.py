"""A model folder from checkpoints: the command `python -m fairseq_hmst.export`, and `export` in Python."""

from .export import export
from .options import ExportOptions

__all__ = ["ExportOptions", "export"]
