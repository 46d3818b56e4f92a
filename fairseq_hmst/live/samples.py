"""Sound as it is given, piece by piece -> mono samples at 16 kHz; the same whatever the pieces are."""

import math
from fractions import Fraction

import numpy as np
import torch

from preprocess.errors import AudioError, OptionError
from preprocess.speech.audio import SAMPLE_RATE
from preprocess.speech.audio.samples import MAX_TERM, check_sample_rate, check_samples, resample

from ..translate.errors import TranslationError
from ..translate.recordings.waveforms import MAX_CHANNELS

# scipy's resample_poly looks at this many samples to each side, of the higher of the two rates
FILTER_REACH = 10


class StreamInput:
    """The pieces of one stream, checked, mixed to one channel and resampled.

    Args:
        sampling_rate: of the pieces, Hz.

    Raises:
        OptionError: nobody records at that rate.
    """

    def __init__(self, sampling_rate: int) -> None:
        try:
            check_sample_rate(sampling_rate)
        except AudioError:
            raise OptionError("sampling_rate", f"nobody records at {sampling_rate} Hz") from None
        self._rate = sampling_rate
        self._resampler = StreamResampler(sampling_rate)
        self._num_samples = 0  # of each channel, so far

    @property
    def seconds(self) -> float:
        """Length of all pieces."""
        return self._num_samples / self._rate

    def add(self, samples: np.ndarray | torch.Tensor) -> np.ndarray:
        """Samples at 16 kHz in [-1, 1] that a piece completes, (N,) float32.

        Args:
            samples: (N,), or (N, C) with C channels, which are averaged; floats in [-1, 1], or integers of 8 to 32 bits
                over their whole range.

        Raises:
            TranslationError: it is of another form, or holds NaN; nothing of it is taken.
        """
        place = f"the sound from {self.seconds:.3f} s on"
        mono = _mono(samples, place)
        self._num_samples += len(mono)
        return np.clip(self._resampler.add(mono), -1.0, 1.0)

    def finish(self) -> np.ndarray:
        """The samples at 16 kHz that were waiting for what follows, (N,) float32."""
        return np.clip(self._resampler.finish(), -1.0, 1.0)


class StreamResampler:
    """Resamples a stream to 16 kHz; the results, joined, are those of `resample` for all of it.

    Args:
        sample_rate: of the stream, Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        ratio = Fraction(SAMPLE_RATE, sample_rate).limit_denominator(MAX_TERM)
        self._rate, self._up, self._down = sample_rate, ratio.numerator, ratio.denominator
        reach = FILTER_REACH * max(self._up, self._down) / self._up  # samples of the stream
        # a block begins with a whole number of periods, so that its filter is where that of the whole stream is
        self._context = self._down * math.ceil(reach / self._down + 1)
        self._block = np.zeros(0, np.float32)
        self._num_before = 0  # results for the begin of the block that were given out

    def add(self, samples: np.ndarray) -> np.ndarray:
        """Results (M,) float32 that `samples` (N,) float32 complete."""
        if self._rate == SAMPLE_RATE:
            return samples
        self._block = np.concatenate([self._block, samples])
        num_periods = max(0, len(self._block) - self._context) // self._down
        found = self._results(num_periods * self._up)
        dropped = max(0, num_periods - self._context // self._down)
        self._block = self._block[dropped * self._down :]
        self._num_before = max(self._num_before, num_periods * self._up) - dropped * self._up
        return found

    def finish(self) -> np.ndarray:
        """The rest of the results; then the stream is over."""
        if self._rate == SAMPLE_RATE:
            return self._block
        return self._results(math.ceil(len(self._block) * SAMPLE_RATE / self._rate))

    def _results(self, end: int) -> np.ndarray:
        """Results of the block that were not given out yet, up to number `end`."""
        if end <= self._num_before:
            return np.zeros(0, np.float32)
        return resample(self._block, self._rate)[self._num_before : end]


def _mono(samples: np.ndarray | torch.Tensor, place: str) -> np.ndarray:
    if isinstance(samples, torch.Tensor):
        samples = (samples.float() if samples.is_floating_point() else samples).detach().cpu().numpy()
    if not isinstance(samples, np.ndarray):
        raise TypeError(f"expected samples as a numpy array or a tensor, found {type(samples).__name__}")
    # a short piece does not show which of its dimensions is time
    if not (samples.ndim == 1 or (samples.ndim == 2 and 1 <= samples.shape[1] <= MAX_CHANNELS)):
        raise TranslationError(
            f"expected samples of shape (samples,) or (samples, channels), found {tuple(samples.shape)}", place=place
        )
    mono = _as_floats(samples, place)
    mono = mono if mono.ndim == 1 else mono.mean(1)
    if len(mono):
        try:
            check_samples(mono)
        except AudioError as error:
            raise TranslationError.of(error, "nothing of this piece was taken; the stream can go on").at(
                place
            ) from None
    return mono


def _as_floats(samples: np.ndarray, place: str) -> np.ndarray:
    kind = samples.dtype
    if kind == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if kind in (np.int8, np.int16, np.int32):
        return (samples / 2.0 ** (8 * kind.itemsize - 1)).astype(np.float32)
    if kind.kind == "f":
        return samples.astype(np.float32)
    raise TranslationError(
        f"expected samples as floats, or as integers of 8, 16 or 32 bits, found {kind}",
        place=place,
        advice="convert them to float32 in [-1, 1]",
    )
