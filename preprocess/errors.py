"""Errors that a user can mend, in parts: where, what was found, what to do; and how they end a command."""

import io
import sys
from collections.abc import Callable
from typing import Self

INTERRUPTED = 130  # exit status


class UserError(Exception):
    """An error that a user can mend; the command line prints it without a traceback.

    Attributes:
        places: where, from the outside in: a file, `FILE:LINE`, an utterance; empty where there is no place.
        found: what is wrong: the item, what was expected, what was found.
        advice: what to do; "" where that is plain.
    """

    def __init__(self, found: str, *, place: object = "", advice: str = "") -> None:
        super().__init__(found)
        self.places: tuple[str, ...] = (str(place),) if str(place) else ()
        self.found, self.advice = found, advice

    @classmethod
    def of(cls, error: "UserError", advice: str = "") -> Self:
        """An error of another kind as one of this kind, with the same parts.

        Args:
            error: the other.
            advice: in place of the error's own; "": that stays.
        """
        return cls(error.found, advice=advice or error.advice).at(*error.places)

    def at(self, *places: object) -> Self:
        """The same error within these places, the outermost first."""
        # Not copy.copy: Dask's tblib registers a reduction of exceptions that it would follow.
        outer = type(self).__new__(type(self), *self.args)
        outer.__dict__.update(self.__dict__)
        outer.places = (*map(str, places), *self.places)
        return outer

    def without_places(self, number: int) -> Self:
        """The same error without its outermost places, so many."""
        inner = self.at()
        inner.places = self.places[number:]
        return inner

    def __str__(self) -> str:
        text = ": ".join([*self.places, self.found])
        return f"{text}; {self.advice}" if self.advice else text


class OptionError(ValueError):
    """An option is out of range, unknown to a model, or without effect: a call names its argument, a command its flag.

    Attributes:
        name: of the option, as an argument of a call.
        problem: what follows its name: the value, what was expected.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"{self.name} {self.problem}"

    @property
    def as_flag(self) -> str:
        """The message of a command, which names the option as it is written there."""
        return f"--{self.name.replace('_', '-')} {self.problem}"


def print_any_name() -> None:
    """Let stdout escape names of files that are not UTF-8, as stderr does."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def exit_status(
    work: Callable[[], object],
    mendable: tuple[type[Exception], ...] = (UserError, OSError),
    interrupted: str = "interrupted",
) -> int:
    """Do the work of a command, and print on stderr why it could not be done.

    Args:
        work: raises what ends it early.
        mendable: errors that the user can mend; others are faults of ours, and go on with their traceback.
        interrupted: what is printed after Ctrl-C.

    Returns:
        0; 1 after one of `mendable`; 130 after an interruption.
    """
    print_any_name()
    try:
        work()
    except mendable as error:
        print(f"error: {error.as_flag if isinstance(error, OptionError) else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        return INTERRUPTED
    return 0


class PreprocessError(UserError):
    """Base of the errors of this package."""


class ManifestError(PreprocessError):
    """A manifest or parallel text file is not in its form."""


class AudioError(PreprocessError):
    """An audio file is missing, broken, or cannot serve as speech."""


class ExtractorError(PreprocessError):
    """A speech encoder cannot be loaded, or gives no usable frames."""


class UnitsError(PreprocessError):
    """A units file is not in its form, or does not fit its centroids or manifest."""


class VocabularyError(PreprocessError):
    """A SentencePiece model or dictionary cannot be made from, or does not cover, the data."""


class CardError(PreprocessError):
    """A card is missing, is not in its form, or is of another version."""


class MismatchError(PreprocessError):
    """Two inputs come from different earlier stages, such as units of another k-means."""


class NotFiniteError(PreprocessError):
    """Weights, centroids, frames or scores are NaN or infinite."""


class OutputError(PreprocessError):
    """An output exists already, or cannot be written."""


class RecipeError(PreprocessError):
    """A recipe has an unknown key, lacks one, or holds a value of the wrong kind."""
