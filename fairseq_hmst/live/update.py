"""What a live translator says after each piece of sound."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Update:
    """What a piece of sound, or the end of a stream, changed.

    Attributes:
        committed: text that became certain. It is never taken back, and all of it joined, without anything between, is
            the translation of the stream.
        open: text that may still change, to be shown behind all that was committed.
        tokens: pieces of the output dictionary that `committed` was written by.
        heard_seconds: sound of the stream so far.
        spent_seconds: computing for this update.
    """

    committed: str
    open: str
    tokens: tuple[str, ...]
    heard_seconds: float
    spent_seconds: float
