"""The answer of a live translator to each piece of sound."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Update:
    """The text that a piece of sound, or the end of a stream, made certain.

    Attributes:
        committed: text that became certain. It is never taken back, and all of it joined, without anything between, is
            the translation of the stream.
        open: text that may still change, to be shown behind all that was committed.
        heard_seconds: sound of the stream so far.
        spent_seconds: computing for this update.
        num_decisions: decision points that the piece reached, the end of a stream among them.
    """

    committed: str
    open: str
    heard_seconds: float
    spent_seconds: float
    num_decisions: int
