"""The error that says why something cannot be scored."""

from preprocess.errors import UserError


class ScoreError(UserError):
    """Hypotheses and references do not belong together, or cannot be read."""
