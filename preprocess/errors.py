"""Errors that a user can mend, in parts: where, what was found, what to do; and how they end a command."""

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Self

from .standard_streams import (
    NAMES,
    StandardStreamError,
    flush_standard_streams,
    name_standard_streams,
    silence_standard_streams,
)

# Exit statuses, those of a shell for a process that the signal has ended.
INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 128 + signal.SIGPIPE
TERMINATED = 128 + signal.SIGTERM
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM; it ends as after Ctrl-C."""


def exit_status(
    work: Callable[[], object],
    mendable: tuple[type[Exception], ...] = (UserError, OSError),
    interrupted: str = "interrupted",
    misused: tuple[type[Exception], ...] = (),
) -> int:
    """Do a command's work, and print in a line why it could not be done.

    Args:
        work: raises what ends it early; a number that it returns is the exit status.
        mendable: errors that the user can mend; others are faults of ours, and go on with their traceback.
        interrupted: what is printed after Ctrl-C and SIGTERM.
        misused: errors of the command line, where they have a status of their own.

    Returns:
        0, or what `work` returned; 1 after one of `mendable`; 2 after one of `misused`; 130 after Ctrl-C, 143 after
        SIGTERM; 141, and nothing is printed, where the reader of stdout has enough.
    """
    name_standard_streams()
    try:
        try:
            with _terminable():
                found = work()
        finally:
            flush_standard_streams()
    except StandardStreamError as error:
        status = BROKEN_PIPE if error.is_broken_pipe else 1
        if status == 1:
            _print_error(error)
        silence_standard_streams()
        return status
    except misused as error:
        _print_error(error)
        return 2
    except mendable as error:
        _print_error(error)
        return 1
    except Terminated:
        _print(f"{interrupted} (SIGTERM)")
        return TERMINATED
    except KeyboardInterrupt:
        _print(interrupted)
        return INTERRUPTED
    return found if isinstance(found, int) else 0


def end_as(status: int) -> None:
    """Raise what ended a command that was called within another; nothing where it went to its end or met an error.

    Raises:
        KeyboardInterrupt: it was interrupted, or, as Terminated, ended by SIGTERM.
        StandardStreamError: nobody reads stdout.
    """
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    if status == TERMINATED:
        raise Terminated
    if status == BROKEN_PIPE:
        raise StandardStreamError(errno.EPIPE, os.strerror(errno.EPIPE), NAMES[1])


def _print_error(error: Exception) -> None:
    if isinstance(error, OptionError):
        text = error.as_flag
    elif isinstance(error, OSError) and error.filename is not None:
        text = _explain_os_error(error)
    else:
        text = str(error)
    _print(f"error: {text}")


def _print(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads stderr
        print(line, file=sys.stderr, flush=True)


def _explain_os_error(error: OSError) -> str:
    from .files.reading.obstacle import explain_failure  # which needs the errors above

    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    if error.errno in NO_SPACE:
        return f"{name}: {error.strerror}; free some, or write elsewhere"
    obstacle = explain_failure(Path(name), error)
    return str(UserError(obstacle.found, place=name, advice=obstacle.advice))


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM raise, so that what was begun is cleaned up; where somebody handles it already, that stays."""

    process = os.getpid()

    def terminate(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:
            raise Terminated
        signal.signal(number, signal.SIG_DFL)  # a fork, which has nothing to clean up
        os.kill(os.getpid(), number)

    is_ours = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    )
    if is_ours:
        signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


class PreprocessError(UserError):
    """Base of the errors of this package."""


class FileError(PreprocessError):
    """A file cannot be read, or is not in its form."""


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
