"""Waveforms as audio files in memory; they are then read, checked and cut as any other file."""

import io
import operator

import numpy as np

from ..errors import TranslationError

MAX_CHANNELS = 32


def encode_waveform(samples: np.ndarray, sampling_rate: object, place: str) -> bytes:
    """An audio file that holds exactly these samples.

    Args:
        samples: (N,), or (N, C) or (C, N) with C channels, fewer than N; floats in [-1, 1], or integers of 8 to 32 bits
            over their whole range.
        sampling_rate: Hz.
        place: of the waveform, for errors.

    Raises:
        TranslationError: it is no waveform, or the rate is no whole number of Hz.
    """
    import soundfile

    rate = _whole_rate(sampling_rate, place)
    channels_last = _with_channels_last(samples, place)
    file = io.BytesIO()
    # W64: as WAV, without its bound of 4 GiB
    found, subtype = _as_stored(channels_last, place)
    soundfile.write(file, found, rate, format="W64", subtype=subtype)
    return file.getvalue()


def _whole_rate(sampling_rate: object, place: str) -> int:
    if sampling_rate is None:
        raise TranslationError("a waveform without its sampling rate", place=place, advice="give sampling_rate, in Hz")
    is_whole = isinstance(sampling_rate, float) and sampling_rate.is_integer()
    try:
        rate = int(sampling_rate) if is_whole else operator.index(sampling_rate)  # type: ignore[call-overload,arg-type]
    except TypeError:
        rate = 0
    if not 1 <= rate <= 10_000_000:
        raise TranslationError(f"sampling_rate must be a whole number of Hz, got {sampling_rate!r}", place=place)
    return rate


def _with_channels_last(samples: np.ndarray, place: str) -> np.ndarray:
    if samples.ndim == 1:
        return samples[:, None]
    if samples.ndim == 2 and min(samples.shape) <= MAX_CHANNELS and samples.shape[0] != samples.shape[1]:
        return samples if samples.shape[1] < samples.shape[0] else samples.T
    raise TranslationError(
        f"expected a waveform of shape (samples,), (samples, channels) or (channels, samples), found "
        f"{tuple(samples.shape)}",
        place=place,
    )


def _as_stored(samples: np.ndarray, place: str) -> tuple[np.ndarray, str]:
    """Samples in a type that libsndfile takes, and the subtype that keeps them as they are."""
    kind = samples.dtype
    if kind == np.uint8:
        return (samples.astype(np.int16) - 128) << 8, "PCM_16"
    if kind == np.int8:
        return samples.astype(np.int16) << 8, "PCM_16"
    if kind in (np.int16, np.int32):
        return samples, f"PCM_{8 * kind.itemsize}"
    if kind.kind == "f":
        return samples.astype(np.float32), "FLOAT"
    raise TranslationError(
        f"expected samples as floats, or as integers of 8, 16 or 32 bits, found {kind}",
        place=place,
        advice="convert them to float32 in [-1, 1]",
    )
