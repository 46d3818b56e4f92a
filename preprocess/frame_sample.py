"""A uniform sample of frames, gathered while utterances are read."""

import hashlib

import numpy as np


class FrameSample:
    """Reproducible, of bounded memory, and the same in whatever order the utterances come.

    Every frame draws a number in [0, 1) from a generator of (seed, utterance id). Kept are the frames with numbers
    below `portion`, and of these the `max_frames` with the lowest numbers.
    """

    def __init__(self, portion: float, max_frames: int, seed: int) -> None:
        self._portion = portion
        self._threshold = portion
        self._max_frames = max_frames
        self._seed = seed
        self._frames: list[np.ndarray] = []
        self._draws: list[np.ndarray] = []
        self._size = 0

    def add(self, utterance_id: str, frames: np.ndarray) -> None:
        """Draw from the (T, D) frames of one utterance."""
        digest = hashlib.sha256(utterance_id.encode()).digest()
        draws = np.random.default_rng([self._seed, int.from_bytes(digest[:8], "big")]).random(len(frames))
        is_kept = draws < self._threshold
        self._frames.append(frames[is_kept])
        self._draws.append(draws[is_kept])
        self._size += int(is_kept.sum())
        if self._size > 1.25 * self._max_frames:
            self._cut()

    @property
    def is_cut(self) -> bool:
        """Whether `max_frames` has left out frames that `portion` alone would keep."""
        return self._threshold < self._portion

    def frames(self) -> np.ndarray:
        """(F, D) float32: the sample, F at most max_frames."""
        if self._size > self._max_frames:
            self._cut()
        return np.concatenate(self._frames) if self._frames else np.zeros((0, 0), dtype=np.float32)

    def _cut(self) -> None:
        draws = np.concatenate(self._draws)
        self._threshold = np.partition(draws, self._max_frames)[self._max_frames]
        for index, (frames, draw) in enumerate(zip(self._frames, self._draws, strict=True)):
            is_kept = draw < self._threshold
            self._frames[index], self._draws[index] = frames[is_kept], draw[is_kept]
        self._size = self._max_frames
