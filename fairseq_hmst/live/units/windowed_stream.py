"""Units of a neural speech encoder as samples come, by a window that moves on."""

import math

import numpy as np

from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.errors import ExtractorError
from preprocess.speech.audio import MIN_SECONDS, SAMPLE_RATE
from preprocess.speech.extractors import Extractor
from preprocess.speech.frames import frames_of

from .encoder_window import EncoderWindow
from .heard import HeardUnits

MOST_SAMPLES = 30 * SAMPLE_RATE  # that the encoder hears at once: what Whisper takes


class WindowedStream:
    """Units of a segment by any `Extractor`; implements `UnitStream`.

    At each `heard` the encoder runs once, from the left context of the first frame that is not settled up to now; where
    that is more than 30 s, step by step.
    Frames that lie the look-ahead behind the end become settled: their units are kept and never made again. Memory
    and time of a call are those of left context, look-ahead and new sound, however long the segment is.

    The first `heard` of a segment gives the units of the whole so far. Later ones are near: attention does not see
    what lies before the window, and what the encoder makes relative to its input is relative to the window, mean and
    variance of the samples (wav2vec 2.0 and its like) and the loudest value of the log-mel (Whisper).
    """

    def __init__(self, extractor: Extractor, nearest_centroid: NearestCentroid, window: EncoderWindow) -> None:
        self._extractor, self._nearest_centroid = extractor, nearest_centroid
        shift = extractor.frame_shift_seconds
        self._samples_per_frame = round(shift * SAMPLE_RATE)
        self._left = math.ceil(window.left_seconds / shift)  # frames
        self._look_ahead = math.ceil(window.look_ahead_seconds / shift)  # frames
        self._added: list[np.ndarray] = []
        self._samples = np.zeros(0, dtype=np.float32)  # from the begin of frame `_first` on
        self._first = 0
        self._settled = np.zeros(0, dtype=np.int64)  # clusters of the leading frames
        self._open = np.zeros(0, dtype=np.int64)  # and of those behind them

    def add(self, samples: np.ndarray) -> None:
        """See `UnitStream.add`."""
        if len(samples):
            self._added.append(np.array(samples, dtype=np.float32))

    def heard(self) -> HeardUnits:
        """See `UnitStream.heard`."""
        new = np.concatenate([np.zeros(0, dtype=np.float32), *self._added])
        self._added = []
        while len(new):
            room = MOST_SAMPLES - len(self._samples)
            self._samples, new = np.concatenate([self._samples, new[:room]]), new[room:]
            if len(self._samples) >= MIN_SECONDS * SAMPLE_RATE:
                self._encode()
        labels = np.concatenate([self._settled, self._open])
        return HeardUnits.of_labels(labels, len(self._settled), self._extractor.frame_shift_seconds)

    def _encode(self) -> None:
        """Make the frames of the window, settle the older ones, and move the window on."""
        [(_, frames)] = frames_of({0: self._samples}, self._extractor)
        if isinstance(frames, ExtractorError):
            raise frames
        self._open = self._nearest_centroid(frames[len(self._settled) - self._first :])
        num_new = max(0, len(self._open) - self._look_ahead)
        self._settled = np.concatenate([self._settled, self._open[:num_new]])
        self._open = self._open[num_new:]
        first = max(0, len(self._settled) - self._left)
        self._samples = self._samples[(first - self._first) * self._samples_per_frame :].copy()
        self._first = first
