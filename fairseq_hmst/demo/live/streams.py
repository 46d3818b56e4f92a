"""Streams of the visitors who speak into the page, piece by piece, and their translations; neither HTML nor Gradio."""

import base64
import threading
import time
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from preprocess.errors import OptionError

from ...live import LiveTranslator
from ...live.options import LiveOptions
from ...translate.errors import TranslationError
from ...translate.options import SpeechOptions
from ..answers import Choices, PageError, in_words

if TYPE_CHECKING:
    from ...live import Update
    from ...translate.translator import Translator

MAX_STREAMS = 20  # at once
FORGET_SECONDS = 60.0  # after the last piece


@dataclass(frozen=True)
class Piece:
    """A piece of what is spoken.

    Attributes:
        rate: samples a second.
        samples: (N,) int16.
        is_first: the piece begins a stream.
        is_last: nothing follows.
    """

    rate: int
    samples: np.ndarray
    is_first: bool = False
    is_last: bool = False

    @classmethod
    def read(cls, given: object) -> "Piece":
        """A piece as the browser sends it, its samples as base64 of little-endian 16-bit integers.

        Raises:
            PageError: it is none.
        """
        try:
            samples = np.frombuffer(base64.b64decode(given["samples"], validate=True), "<i2")  # type: ignore[index]
            rate, first, last = (given[name] for name in ("rate", "first", "last"))  # type: ignore[index]
            return cls(int(rate), samples.astype(np.int16), bool(first), bool(last))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise PageError("What came from the browser is no sound.") from error


class Stream:
    """The speech of one visitor, and its translation so far.

    Args:
        live: translates this stream alone.
        kind: sampling rate and languages.

    Attributes:
        kind: as given.
        text: what is certain.
        open: text behind it that may still change.
        seconds: of sound so far.
        is_cut: it became too long.
        last_heard: time of the last piece, by a clock that only runs forward.
    """

    def __init__(self, live: LiveTranslator, kind: tuple[int, Choices]) -> None:
        self._live: LiveTranslator | None = live
        self.kind = kind
        self.text, self.open, self.seconds = "", "", 0.0
        self.is_cut = False
        self.last_heard = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether it was finished or forgotten."""
        return self._live is None

    def hear(self, samples: np.ndarray, is_last: bool) -> None:
        """Hear the next samples.

        Raises:
            TranslationError: see `LiveTranslator.feed`.
        """
        live = self._live
        if live is None:
            return
        self._take(live, live.feed(samples))
        if is_last:
            self._take(live, live.finish())
            self.end()
        self.last_heard = time.monotonic()

    def end(self) -> None:
        """Free what the translator holds; the text stays."""
        self._live = None

    def _take(self, live: LiveTranslator, update: "Update") -> None:
        self.text, self.open, self.seconds = live.text, update.open, update.heard_seconds


class Streams:
    """The streams of all visitors: each has a translator of its own, all of one model.

    Args:
        translator: whose model and options they take.
        max_seconds: after which a stream is finished.
    """

    def __init__(self, translator: "Translator", max_seconds: float) -> None:
        self._translator, self._max_seconds = translator, max_seconds
        self._lock = threading.Lock()
        self._going_on: set[Stream] = set()

    def __len__(self) -> int:
        return len(self._going_on)

    def hear(self, stream: Stream | None, piece: Piece, choices: Choices) -> Stream:
        """Hear the next piece of a visitor's stream; a new rate or new languages begin another.

        Args:
            stream: of this visitor; None: there is none.
            piece: of the sound.
            choices: of languages.

        Returns:
            The stream that the piece belongs to.

        Raises:
            PageError: the stream was forgotten, too many go on, or the sound or the model cannot be used.
        """
        kind = (piece.rate, choices)
        if piece.is_first or (stream is not None and not stream.is_over and stream.kind != kind):
            self.end(stream)
            stream = self._begin(kind)
        if stream is None or stream.is_over:
            raise PageError("The page has not heard anything for too long; record again.")
        stream.is_cut = stream.seconds + len(piece.samples) / piece.rate >= self._max_seconds
        try:
            stream.hear(piece.samples, piece.is_last or stream.is_cut)
        except TranslationError as error:
            self.end(stream)
            raise self._explain(error) from error
        if stream.is_over:
            self.end(stream)
        return stream

    def end(self, stream: Stream | None) -> None:
        """Forget a stream; None: there is none."""
        if stream is not None:
            stream.end()
            with self._lock:
                self._going_on.discard(stream)

    def _begin(self, kind: tuple[int, Choices]) -> Stream:
        with self._lock:
            oldest = time.monotonic() - FORGET_SECONDS
            silent = [stream for stream in self._going_on if stream.last_heard < oldest]
        for stream in silent:
            self.end(stream)
        begun = Stream(self._translator_of(*kind), kind)
        with self._lock:
            if len(self._going_on) >= MAX_STREAMS:
                raise PageError("Too many are speaking to this page at the moment; try again in some minutes.")
            self._going_on.add(begun)
        return begun

    def _translator_of(self, rate: int, choices: Choices) -> LiveTranslator:
        given = self._translator.options
        options = LiveOptions(**{field.name: getattr(given, field.name) for field in fields(SpeechOptions)})
        options = replace(
            options,
            sampling_rate=rate,
            source_language=choices.source_language,
            target_language=choices.target_language,
        )
        try:
            return LiveTranslator(self._translator.model, options)
        except TranslationError as error:
            raise self._explain(error) from error
        except OptionError as error:
            raise PageError(f"This cannot be translated: {error.problem}.") from error

    def _explain(self, fault: TranslationError) -> PageError:
        return in_words(fault, self._translator.folder.path)
