"""The class `LiveTranslator`: sound, piece by piece, to text that grows as it becomes certain."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from preprocess.errors import ExtractorError, NotFiniteError
from preprocess.speech.audio import MIN_SECONDS, SAMPLE_RATE

from ..translate.errors import TranslationError
from ..translate.machine import MachineOptions
from ..translate.open_model import OpenModel
from ..translate.options import SpeechOptions, TranslationOptions
from ..translate.translator import Translator
from .open_segment import OpenSegment, Passage
from .options import LiveOptions
from .policies.table import WAIT, choose_policy, policy_maker
from .samples import StreamInput
from .segmentation import SegmentFinder
from .sound import Sound
from .units.streams import UnitStreams
from .update import Update
from .written_text import WrittenText

WARM_UP_SAMPLES = 4000  # silence
KEPT_SECONDS = 1.0  # of sound before a segment, more than one ever begins earlier than it is found


class LiveTranslator:
    """Translates one stream after another; make one by `from_pretrained`, and `another` for each stream at once.

    Decisions fall on fixed points of the sound, each `chunk_seconds` of it: the pieces in which it is given, and the
    time that passes between them, change no word. One thread may use it at a time; several translators of one model
    may be used by several threads.

    Args:
        model: an open model folder.
        options: how it translates.

    Attributes:
        options: as given.
        policy: what may be committed; `wait` where everything is translated at the end.
        text: all that was committed in this stream.

    Raises:
        OptionError: an option does not fit the model, or has no effect; or the model has several languages, and the
            options do not say which.
        TranslationError: there is no speech encoder.
    """

    def __init__(self, model: OpenModel, options: LiveOptions) -> None:
        self.options = options
        shared = {field.name: getattr(options, field.name) for field in fields(SpeechOptions)}
        self._translator = Translator(model, TranslationOptions(**shared))
        decoder = self._translator.decoder
        self.policy = choose_policy(options.policy, decoder.decoding)
        options.check_effects(self.policy)
        self._languages = decoder.choose_languages(options.source_language, options.target_language)
        self._look_ahead = options.look_ahead
        self._units = UnitStreams(*model.speech.tools, options.window)
        lengths = self._translator.lengths
        self._longest, self._whole = (round(seconds * SAMPLE_RATE) for seconds in (lengths.longest, lengths.whole))
        self._chunk = round(options.chunk * SAMPLE_RATE)
        self._is_over = False
        self._warm_up()
        self._begin_stream()

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        device: str = "cpu",
        encoder: str | None = None,
        dtype: str = "float32",
        threads: int | None = None,
        **options: Any,
    ) -> "LiveTranslator":
        """Open a model folder, or that name on the Hugging Face hub; arguments as of `Translator.from_pretrained`.

        Args:
            name: of the folder.
            device: torch device of speech encoder and model.
            encoder: folder or hub name of the speech encoder, where the model's folder only names it.
            dtype: of the model.
            threads: of the processor, while it translates.
            options: fields of `LiveOptions`.

        Raises:
            ModelFolderError: it is no whole model folder.
            OptionError, TranslationError: see the class.
            TypeError: an option is unknown.
        """
        chosen = LiveOptions().changed(options)
        return cls(OpenModel.open(name, MachineOptions(device, dtype, threads), encoder), chosen)

    def another(self) -> "LiveTranslator":
        """A translator of another stream, by the same model and options."""
        return LiveTranslator(self._translator.model, self.options)

    def feed(self, samples: np.ndarray | Tensor) -> Update:
        """Hear the next piece of the stream, of any length.

        Args:
            samples: (N,), or (N, C) with C channels, at the `sampling_rate` of the options; floats in [-1, 1], or
                integers of 8 to 32 bits over their whole range.

        Returns:
            What became certain at the decision points that the piece reached.

        Raises:
            TranslationError: the samples are of another form or hold NaN, and nothing of them was taken; or the model
                gives NaN.
        """
        start = time.perf_counter()
        if self._is_over:
            self._begin_stream()
        with self._translator.model.computing():
            self._hear(self._input.add(samples))
        return self._update(start)

    def finish(self) -> Update:
        """Hear that the stream is over; all that is left becomes certain. The next piece begins another stream.

        Raises:
            TranslationError: see `feed`.
        """
        start = time.perf_counter()
        if self._is_over:
            self._begin_stream()
        with self._translator.model.computing():
            self._hear(self._input.finish())
            self._decide(self._waiting)
            if self.policy == WAIT:
                self._translate_all()
            else:
                self._end_stream()
        self._is_over = True
        return self._update(start)

    def _warm_up(self) -> None:
        """Let torch prepare itself, and modules be imported, before anybody speaks."""
        self._segment: OpenSegment | None = None
        if self.policy != WAIT:
            segment = self._open(0)
            segment.add(np.zeros(WARM_UP_SAMPLES, np.float32))
            with self._translator.model.computing(), _explained():
                segment.advance(segment.end)

    def _begin_stream(self) -> None:
        self._input = StreamInput(self.options.rate)
        self._waiting = np.zeros(0, np.float32)  # since the last decision point
        self._num_decisions = 0  # since the last update
        self._sound, self._finder = Sound(), SegmentFinder(self.options.pause)
        self._segment = None
        self._is_whole = True  # nothing was cut off or written
        self._written = WrittenText(self._translator.task.data_bin)
        self._is_over, self.text = False, ""

    def _update(self, start: float) -> Update:
        committed = self._written.take()
        self.text += committed
        num_decisions, self._num_decisions = self._num_decisions, 0
        spent = time.perf_counter() - start
        return Update(committed, self._written.open, self._input.seconds, spent, num_decisions)

    def _hear(self, samples: np.ndarray) -> None:
        self._waiting = np.concatenate([self._waiting, samples])
        while len(self._waiting) >= self._chunk:
            chunk, self._waiting = np.split(self._waiting, [self._chunk])
            self._decide(chunk)
            self._advance()

    def _decide(self, chunk: np.ndarray) -> None:
        """Hear up to a decision point, and end what has ended there."""
        self._num_decisions += 1
        self._sound.add(chunk)
        if self.policy == WAIT:
            return
        for begin, end in self._finder.add(chunk):
            self._end_segment(begin, end)
        while self._finder.begin is not None and self._finder.end - self._finder.begin > self._whole:
            self._end_segment(self._finder.begin, self._cut())
        self._forget()

    def _advance(self) -> None:
        """Translate the open segment as far as it is certain."""
        if self._finder.begin is None:
            return
        segment = self._open(self._finder.begin)
        segment.add(self._sound.between(segment.end, max(segment.end, self._finder.end)))
        with _explained():
            passage = segment.advance(self._sound.end)
        self._is_whole &= passage.num_certain == 0
        self._written.show(passage)

    def _open(self, begin: int) -> OpenSegment:
        if self._segment is None:
            self._segment = OpenSegment(
                begin,
                self._units.start(),
                self._translator.decoder,
                self._languages,
                policy_maker(self.policy)(),
                self._look_ahead,
            )
        return self._segment

    def _end_segment(self, begin: int, end: int) -> None:
        """Translate a segment to its end, and write all of that."""
        segment = self._open(begin)
        if segment.end > end or segment.begin != begin:
            segment.begin_again(begin, self._units.start())
        segment.add(self._sound.between(segment.end, end))
        with _explained():
            passage = segment.finish()
        self._written.end_segment(passage)
        self._segment, self._is_whole = None, False

    def _cut(self) -> int:
        """Cut the open segment, which is too long, at its quietest place behind what is certain; that place."""
        begin, end = self._finder.begin or 0, self._finder.end
        first = max(begin + self._longest // 2, 0 if self._segment is None else self._segment.first_cut)
        position = self._sound.quietest(min(first, end), min(max(first, begin + self._longest), end))
        self._finder.cut(position)
        return position

    def _forget(self) -> None:
        """Drop the sound that no segment will need."""
        needed = self._sound.end - round(KEPT_SECONDS * SAMPLE_RATE)
        if self._finder.begin is not None:
            needed = min(needed, self._finder.begin)
        self._is_whole &= self._sound.end <= self._whole
        if not self._is_whole:
            self._sound.drop_before(needed)

    def _end_stream(self) -> None:
        """End the open segment; a short stream of which nothing is certain is one whole, as a short recording."""
        if self._finder.begin is None:
            return
        if self._is_whole:
            self._end_segment(0, self._sound.end)
        else:
            self._end_segment(self._finder.begin, self._finder.end)

    def _translate_all(self) -> None:
        """Translate the whole stream as a recording."""
        samples = self._sound.between(0, self._sound.end)
        if len(samples) >= MIN_SECONDS * SAMPLE_RATE:
            translation = self._translator.translate(samples, sampling_rate=SAMPLE_RATE)
            for segment in translation.segments:
                labels = segment.nbest[0].tokens
                self._written.end_segment(Passage(labels, len(labels)))


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Make errors of models and encoders inside the block a TranslationError."""
    try:
        yield
    except (ExtractorError, NotFiniteError) as error:
        raise TranslationError.of(error) from error
