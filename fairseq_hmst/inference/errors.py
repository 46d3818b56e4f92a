"""What can go wrong between a model folder and a translation, and a person can mend."""


class ModelFolderError(Exception):
    """A model folder is not whole, has been changed, or cannot be written or used."""


class TranslationError(Exception):
    """Something cannot be translated: a recording, a row of a manifest, or all for lack of a speech encoder."""
