"""Where the weights of a Hugging Face model lie, and their hash."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ...errors import ExtractorError
from ...files.hashing import hash_file

CONFIG_FILES = ["config.json", "preprocessor_config.json", "processor_config.json"]


@dataclass(frozen=True)
class Checkpoint:
    """What an extractor says of itself; see `Extractor` for the fields. `num_layers` are those of the whole model."""

    name: str
    source: str
    layer: int
    num_layers: int
    hash: str


def find_folder(source: str) -> Path:
    """The folder of a model: `source` itself, or the download of that hub name (from the cache if it is there).

    Raises:
        ExtractorError: it is neither a folder nor a hub name that can be reached.
    """
    if Path(source).is_dir():
        return Path(source)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        folder = Path(snapshot_download(source, allow_patterns=[*CONFIG_FILES, "model*.safetensors*"]))
        if not list(folder.glob("model*.safetensors")):
            folder = Path(snapshot_download(source, allow_patterns=[*CONFIG_FILES, "pytorch_model*.bin*"]))
    except (HFValidationError, HfHubHTTPError, OSError) as error:
        raise ExtractorError(
            f"extractor '{source}' is neither `mfcc`, nor a folder, nor a hub name that can be reached: {error}"
        ) from error
    return folder


def hash_weights(folder: Path) -> str:
    """SHA-256 of the weight file of a folder; of the files' SHA-256 in the order of their names if there are several.

    Raises:
        ExtractorError: there are no weights.
    """
    for pattern in ("model*.safetensors", "pytorch_model*.bin"):
        hashes = [hash_file(path) for path in sorted(Path(folder).glob(pattern))]
        if len(hashes) == 1:
            return hashes[0]
        if hashes:
            return hashlib.sha256("".join(hashes).encode()).hexdigest()
    raise ExtractorError(f"{folder}: no weights; expected model.safetensors or pytorch_model.bin")
