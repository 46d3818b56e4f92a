"""Errors of a check: faults that end it, and warnings of what may be meant."""

from preprocess.errors import UserError


class CheckError(UserError):
    """Faults that were found before work began, one a line."""


class CheckWarning(UserError):
    """Something that may be meant, and keeps nothing from beginning."""
