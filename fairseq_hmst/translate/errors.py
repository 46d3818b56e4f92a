"""Errors that say why a recording, a row or a line was not translated."""

from preprocess.errors import UserError


class TranslationError(UserError):
    """A recording, row or line cannot be translated, or a speech encoder is lacking."""


class MissingEncoderError(TranslationError):
    """A model's folder only names its speech encoder, and nothing says where it lies."""
