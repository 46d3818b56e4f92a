"""The error that says why a recording, a row or a line was not translated."""

from preprocess.errors import UserError


class TranslationError(UserError):
    """A recording, row or line cannot be translated, or a speech encoder is lacking."""
