"""The error that says why a recording, a row or a line was not translated."""

from typing import Self

from preprocess.errors import UserError


class TranslationError(UserError):
    """A recording, row or line cannot be translated, or a speech encoder is lacking."""

    @classmethod
    def of(cls, error: UserError) -> Self:
        """An error of another kind as one of this kind, with the same parts."""
        return cls(error.found, advice=error.advice).at(*error.places)
