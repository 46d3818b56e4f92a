"""The errors a user can cause or mend; every message says which item, what was expected, what was found, what to do."""


class PreprocessError(Exception):
    """Base of all errors below; the command line prints its message without a traceback and exits with status 1."""


class ManifestError(PreprocessError):
    """A manifest or parallel text file is not in its form; the message starts with `FILE:LINE:`."""


class AudioError(PreprocessError):
    """An audio file is missing, broken, or cannot serve as speech."""


class ExtractorError(PreprocessError):
    """A speech encoder cannot be loaded, or gives no usable frames."""


class UnitsError(PreprocessError):
    """A units file is not in its form, or its ids do not belong to the centroids or manifest given with it."""


class VocabularyError(PreprocessError):
    """A SentencePiece model or dictionary cannot be made from, or does not cover, the data."""


class MismatchError(PreprocessError):
    """Two inputs come from different earlier stages, such as units of another k-means."""


class OutputError(PreprocessError):
    """An output exists already, or cannot be written."""


class RecipeError(PreprocessError):
    """A recipe has an unknown key, lacks one, or holds a value of the wrong kind."""
