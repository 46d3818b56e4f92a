"""The error that says what is wrong with a model folder."""

from typing import Self

from preprocess.errors import UserError


class ModelFolderError(UserError):
    """A model folder is not whole, has been changed, or cannot be written or used."""

    @classmethod
    def of(cls, error: UserError, advice: str = "") -> Self:
        """An error of another kind as one of this kind, with the same parts.

        Args:
            error: found in a file of the folder.
            advice: in place of the error's own; "": that stays.
        """
        return cls(error.found, advice=advice or error.advice).at(*error.places)
