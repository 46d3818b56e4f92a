"""Kinds of speech that a user may give, and the audio file that each is."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch

from preprocess.speech.audio import AudioContent

from ..errors import TranslationError
from .waveforms import encode_waveform


@runtime_checkable
class BinaryFile(Protocol):
    """A file object, opened in binary mode."""

    def read(self) -> bytes:
        """The content from the present position on."""
        ...


class Samples(Protocol):
    """Decoded samples as torchcodec has them: `data` of shape (channels, samples)."""

    data: torch.Tensor
    sample_rate: int


@runtime_checkable
class SamplesDecoder(Protocol):
    """A decoder as of torchcodec, which `datasets` gives for its column of audio."""

    def get_all_samples(self) -> Samples:
        """The samples of all channels."""
        ...


Speech: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryFile
    | np.ndarray
    | torch.Tensor
    | Mapping[str, object]
    | SamplesDecoder
)
# the classes of one input, which an iterable of inputs is none of
ONE = (str, os.PathLike, bytes, bytearray, memoryview, np.ndarray, torch.Tensor, Mapping, BinaryFile, SamplesDecoder)


def read_source(given: object, sampling_rate: object, default_name: str) -> tuple[str, Path | AudioContent]:
    """The name and the audio file of one input.

    Args:
        given: any of `Speech`.
        sampling_rate: of a waveform that comes without its own, Hz.
        default_name: of what has no name.

    Raises:
        TranslationError: a waveform or dictionary is not in its form.
        TypeError: it is nothing of these kinds, or the rate has no effect on it.
    """
    if isinstance(given, Mapping):
        return _of_dictionary(given, sampling_rate, default_name)
    if isinstance(given, SamplesDecoder):
        samples = given.get_all_samples()
        return _of_waveform(samples.data, samples.sample_rate, default_name)
    if isinstance(given, np.ndarray | torch.Tensor):
        return _of_waveform(given, sampling_rate, default_name)
    if sampling_rate is not None and isinstance(given, ONE):
        raise TypeError("sampling_rate has no effect on an audio file, which says its own")
    if isinstance(given, str | os.PathLike):
        return os.fsdecode(given), Path(os.fsdecode(given))
    if isinstance(given, bytes | bytearray | memoryview):
        return default_name, AudioContent(default_name, bytes(given))
    if isinstance(given, BinaryFile):
        return _of_file(given, default_name)
    raise TypeError(
        f"expected a path, a file object, bytes, a numpy array, a tensor or a dictionary, found "
        f"{type(given).__name__}; a waveform is given as translate(waveform, sampling_rate=rate)"
    )


def _of_file(given: BinaryFile, default_name: str) -> tuple[str, AudioContent]:
    if isinstance(given, io.TextIOBase):
        raise TypeError("a file object must be opened in binary mode: open(path, 'rb')")
    own_name = getattr(given, "name", None)
    name = own_name if isinstance(own_name, str) else default_name
    return name, AudioContent(name, given.read())


def _of_dictionary(
    given: Mapping[str, object], sampling_rate: object, default_name: str
) -> tuple[str, Path | AudioContent]:
    """A dictionary as the library `datasets` has them, decoded or not."""
    path, samples, content = (given.get(key) for key in ("path", "array", "bytes"))
    name = path if isinstance(path, str) else default_name
    if samples is not None:
        waveform = samples if isinstance(samples, np.ndarray | torch.Tensor) else np.asarray(samples)
        return _of_waveform(waveform, given.get("sampling_rate", sampling_rate), name)
    if isinstance(content, bytes):
        return name, AudioContent(name, content)
    if isinstance(path, str):
        return path, Path(path)
    raise TranslationError(
        f"expected a dictionary with 'array' and 'sampling_rate', with 'bytes' or with 'path', found the keys "
        f"{', '.join(map(repr, given)) or 'none'}",
        place=default_name,
        advice="give the entry that holds the audio" if "audio" in given else "",
    )


def _of_waveform(samples: np.ndarray | torch.Tensor, sampling_rate: object, name: str) -> tuple[str, AudioContent]:
    if isinstance(samples, torch.Tensor):
        samples = (samples.float() if samples.is_floating_point() else samples).detach().cpu().numpy()
    return name, AudioContent(name, encode_waveform(samples, sampling_rate, name))
