"""Segments of speech in a stream, found at its pauses as they come, by loudness.

The rule is that of recordings (`translate.recordings.segmentation`), but for what is not known yet: loud and quiet
frames are those of the last half minute, and before anybody has spoken, speech is expected to be as loud as near a
microphone, so that the noise of a room is none.
"""

from collections import deque

import numpy as np

from preprocess.speech.audio import SAMPLE_RATE

from ..translate.recordings.segmentation import (
    CLEAR,
    FRAME_SECONDS,
    KEPT_SILENCE,
    LOUD_PERCENTILE,
    MARGIN,
    MIN_SPEECH,
    QUIET_PERCENTILE,
    RANGE,
    SILENCE,
)

FRAME = round(FRAME_SECONDS * SAMPLE_RATE)  # samples
KEPT = round(KEPT_SILENCE * SAMPLE_RATE)
MEMORY_FRAMES = 3000  # half a minute
FRAMES_TO_A_THRESHOLD = 10  # 0.1 s
EXPECTED_LOUDNESS = -30.0  # decibels, of speech near a microphone


class LoudnessThreshold:
    """Decides of each 10 ms of a stream whether it is speech."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=MEMORY_FRAMES)
        self._num_frames = 0
        self._threshold = EXPECTED_LOUDNESS - RANGE

    def is_speech(self, level: float) -> bool:
        """Whether the next frame, of this level in decibels, is speech."""
        if level > SILENCE - 20:  # digital silence is no background
            self._levels.append(level)
        if self._num_frames % FRAMES_TO_A_THRESHOLD == 0 and self._levels:
            self._threshold = self._find()
        self._num_frames += 1
        return level > self._threshold

    def _find(self) -> float:
        loud, quiet = np.percentile(self._levels, [LOUD_PERCENTILE, QUIET_PERCENTILE])
        loud = max(float(loud), EXPECTED_LOUDNESS)
        return max(loud - RANGE, min(float(quiet) + MARGIN, loud - CLEAR), SILENCE)


class SegmentFinder:
    """Finds where segments of a stream begin and end; positions are samples from the begin of the stream.

    Args:
        pause_seconds: a segment ends when nobody has spoken for so long.

    Attributes:
        begin: of the open segment; None where nobody speaks.
    """

    def __init__(self, pause_seconds: float) -> None:
        self._pause_frames = round(pause_seconds / FRAME_SECONDS)
        self._kept = min(KEPT, self._pause_frames * FRAME // 2)
        self._threshold = LoudnessThreshold()
        self._rest = np.zeros(0, np.float32)  # less than a frame
        self._num_frames = 0
        self._speech: list[int] = []  # frames since the last pause
        self._earliest = 0  # begin of the next segment
        self.begin: int | None = None

    def add(self, samples: np.ndarray) -> list[tuple[int, int]]:
        """Segments (begin, end) that end in the next samples (N,)."""
        samples = np.concatenate([self._rest, samples])
        num_frames = len(samples) // FRAME
        self._rest = samples[num_frames * FRAME :]
        frames = samples[: num_frames * FRAME].reshape(num_frames, FRAME)
        levels = 10 * np.log10(np.maximum((frames.astype(np.float64) ** 2).mean(1), 1e-14))
        return [segment for level in levels for segment in self._add_frame(float(level))]

    def cut(self, position: int) -> None:
        """End the open segment here; what was said behind it begins the next one."""
        self._earliest = position
        self._speech = [frame for frame in self._speech if frame * FRAME >= position]
        self.begin = None
        self._open()

    @property
    def end(self) -> int:
        """End of the open segment, were nothing more said."""
        return min(self._num_frames * FRAME + len(self._rest), (self._speech[-1] + 1) * FRAME + self._kept)

    def _add_frame(self, level: float) -> list[tuple[int, int]]:
        frame = self._num_frames
        self._num_frames += 1
        if self._threshold.is_speech(level):
            self._speech.append(frame)
            self._open()
            return []
        if not self._speech or frame - self._speech[-1] < self._pause_frames:
            return []
        begin, end = self.begin, self.end
        self._speech.clear()
        self.begin = None
        if begin is None:  # a click
            return []
        self._earliest = end
        return [(begin, end)]

    def _open(self) -> None:
        """Begin a segment once there is more speech than in a click."""
        if self.begin is None and len(self._speech) * FRAME_SECONDS >= MIN_SPEECH:
            self.begin = max(self._speech[0] * FRAME - self._kept, self._earliest)
