"""The error that says what is wrong with a model folder."""

from preprocess.errors import UserError


class ModelFolderError(UserError):
    """A model folder is not whole, has been changed, or cannot be written or used."""
