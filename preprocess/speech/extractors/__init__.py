"""Frames from waveforms: what every extractor offers, and how one is chosen by name."""

import functools
from pathlib import Path
from typing import Protocol

import numpy as np

from ...errors import ExtractorError
from ...files.cards.stage_cards import ExtractorDescription


class Extractor(Protocol):
    """Turns speech into one vector every few milliseconds; but for rounding, none depends on the rest of the batch."""

    name: str  # short, for cards: "mfcc", "wavlm-large"
    source: str  # what `load_extractor` was given: "mfcc", an absolute folder, a hub name
    layer: int  # 1 is the first transformer layer; 0 where there are no layers
    hash: str  # of all that frames depend on beside the layer: weights or settings
    width: int  # D
    frame_shift_seconds: float

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        """Frames (T, D) float32 of each waveform (N,), float32 samples at 16 kHz in [-1, 1].

        Raises:
            ExtractorError: a waveform is too short or too long for the encoder.
        """
        ...


def load_extractor(source: str, layer: int | None, device: str) -> Extractor:
    """Load an extractor; the one that was loaded last is kept, until its files change or `unload_extractor`.

    Args:
        source: `mfcc`, or the folder or hub name of a Hugging Face speech encoder.
        layer: frames are the output of this transformer layer, 1..all; None for `mfcc`.
        device: a torch device such as `cpu` or `cuda`; `mfcc` runs on `cpu`.

    Raises:
        ExtractorError: unknown source, layer out of range, or weights that cannot be loaded whole.
    """
    if source == "mfcc" or not Path(source).is_dir():
        return _load(source, layer, device, 0)
    folder = Path(source).resolve()
    return _load(str(folder), layer, device, max((path.stat().st_mtime_ns for path in folder.iterdir()), default=0))


def unload_extractor() -> None:
    """Give up the extractor that was loaded last, and its memory if nobody else holds it."""
    _load.cache_clear()


@functools.lru_cache(maxsize=1)
def _load(source: str, layer: int | None, device: str, time_of_change: int) -> Extractor:
    if source == "mfcc":
        if layer is not None:
            raise ExtractorError("the extractor 'mfcc' has no layers", advice=f"leave out --layer (found {layer})")
        if device != "cpu":
            raise ExtractorError("the extractor 'mfcc' runs on the CPU", advice=f"leave out --device (found {device})")
        from .mfcc import MfccExtractor

        return MfccExtractor()
    from .huggingface import load_speech_encoder

    return load_speech_encoder(source, layer, device)


def describe(extractor: Extractor) -> ExtractorDescription:
    """Description of an extractor for cards; `load_described` is the way back."""
    return ExtractorDescription(
        name=extractor.name,
        source=extractor.source,
        layer=extractor.layer,
        hash=extractor.hash,
        frame_shift_seconds=extractor.frame_shift_seconds,
        width=extractor.width,
    )


def load_described(description: ExtractorDescription, device: str, source: str | None = None) -> Extractor:
    """Load the extractor that a card describes.

    Args:
        description: what `describe` gave.
        device: see `load_extractor`.
        source: where the extractor lies now; None: where it lay then.

    Raises:
        ExtractorError: it cannot be loaded, or its weights or settings are others than then.
    """
    source = source or description.source
    extractor = load_extractor(source, description.layer or None, device)
    if extractor.hash != description.hash:
        raise ExtractorError(
            f"the extractor '{source}' is not the one of the k-means: expected the hash {description.hash[:12]}, "
            f"found {extractor.hash[:12]}",
            advice="name the folder of the right one, or fit another k-means",
        )
    return extractor
