"""Standard output and standard error whose failures name them: a full disk, or a reader that has gone."""

import contextlib
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

NAMES = {1: "standard output", 2: "standard error"}  # by file descriptor


class StandardStreamError(OSError):
    """Standard output or standard error cannot be written; `filename` says which."""

    @property
    def is_broken_pipe(self) -> bool:
        """Whether the reader has enough, such as `head`."""
        return self.errno == errno.EPIPE


class _NamedFile(io.FileIO):
    """The raw file below a standard stream; `failure` is its last one, which argparse and logging pass over."""

    failure: StandardStreamError | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failure = StandardStreamError(error.errno, error.strerror, NAMES[self.fileno()])
            raise self.failure from error


def name_standard_streams() -> None:
    """Let failures of the process's stdout and stderr be StandardStreamErrors; streams of another kind stay.

    Stdout escapes names of files that are not UTF-8 from then on, as stderr does.
    """
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.errors != "backslashreplace":
            stream.reconfigure(errors="backslashreplace")
        with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor, or closed
            if stream.fileno() == number and not isinstance(_raw(stream), _NamedFile):
                setattr(sys, name, _named(stream, number))


def flush_standard_streams() -> None:
    """Write what is buffered.

    Raises:
        StandardStreamError: it cannot be written, or what was printed before could not.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
    raw = _raw(sys.stdout)
    if isinstance(raw, _NamedFile) and raw.failure is not None:
        raise raw.failure


def silence_standard_streams() -> None:
    """Throw away what cannot be written; else Python tries it again, and complains, when it ends."""
    for stream in (sys.stdout, sys.stderr):
        raw = _raw(stream)
        if isinstance(raw, _NamedFile):
            try:
                stream.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), raw.fileno())
                stream.flush()
            raw.failure = None


def _raw(stream: TextIO) -> object:
    """The file below a stream of text."""
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)


def _named(stream: io.TextIOWrapper, number: int) -> io.TextIOWrapper:
    stream.flush()
    file = _NamedFile(number, "wb", closefd=False)
    return io.TextIOWrapper(
        file if isinstance(stream.buffer, io.RawIOBase) else io.BufferedWriter(file),
        stream.encoding,
        stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
