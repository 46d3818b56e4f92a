"""The weights of a Hugging Face model: their folder, and their hash."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ...errors import ExtractorError
from ...files.hashing import hash_file
from ...files.program.hub import HubError, resolve_folder

CONFIG_FILES = ["config.json", "preprocessor_config.json", "processor_config.json"]


@dataclass(frozen=True)
class Checkpoint:
    """Description of a model by its extractor; see `Extractor`. `num_layers` are those of the whole model."""

    name: str
    source: str
    layer: int
    num_layers: int
    hash: str


def find_folder(source: str) -> Path:
    """The folder of a model: `source` itself, or the download of that hub name.

    Raises:
        ExtractorError: it is neither a folder nor a hub name that can be reached.
    """
    try:
        folder = resolve_folder(source, [*CONFIG_FILES, "model*.safetensors*"])
        if folder != Path(source) and not list(folder.glob("model*.safetensors")):
            folder = resolve_folder(source, [*CONFIG_FILES, "pytorch_model*.bin*"])
    except HubError as error:
        raise ExtractorError(f"extractor {error.found}", advice="or take the extractor `mfcc`") from error
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
    raise ExtractorError("no weights; expected model.safetensors or pytorch_model.bin", place=folder)
