"""Lengths of speech that an extractor takes, known from its config files; no weights are read."""

from pathlib import Path

from ...errors import ExtractorError, FileError
from ...files.program.hub import HubError, resolve_folder
from ...files.reading.json_file import read_json
from ..audio import SAMPLE_RATE, LengthLimits
from .checkpoint import CONFIG_FILES

WHISPER_STRIDE = 2  # of its second convolution, in frames of the log-mel


def read_limits(source: str) -> LengthLimits:
    """Limits of an extractor; Whisper has its own, 30 s, all others those of any audio.

    Args:
        source: as of `load_extractor`.

    Raises:
        ExtractorError: `source` is neither a folder nor a hub name that can be reached, or its config is broken.
    """
    if source == "mfcc":
        return LengthLimits()
    try:
        folder = resolve_folder(source, CONFIG_FILES)
    except HubError as error:
        raise ExtractorError(f"extractor {error.found}", advice="or take the extractor `mfcc`") from error
    config = _read_config(folder / "config.json")
    if config.get("model_type") != "whisper":
        return LengthLimits()
    preprocessor = _read_config(folder / "preprocessor_config.json")
    try:
        max_samples = config["max_source_positions"] * WHISPER_STRIDE * preprocessor["hop_length"]
        return LengthLimits(preprocessor["n_fft"] / SAMPLE_RATE, max_samples / SAMPLE_RATE)
    except (KeyError, TypeError) as error:
        raise ExtractorError(f"a config lacks a number: {error}", place=folder) from error


def _read_config(path: Path) -> dict[str, int]:
    try:
        content = read_json(path)
    except FileError as error:
        raise ExtractorError.of(error) from error
    return content if isinstance(content, dict) else {}
