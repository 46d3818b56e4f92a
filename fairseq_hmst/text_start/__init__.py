"""The start from a pretrained text model of others, fitted to a data-bin."""

from .convert import convert, coverage, describe
from .options import TextStartOptions
from .start import read_text_model

__all__ = ["TextStartOptions", "convert", "coverage", "describe", "read_text_model"]
