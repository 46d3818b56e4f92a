"""Folders of models: a local folder, or the download of a name on the Hugging Face hub."""

from collections.abc import Sequence
from pathlib import Path

from ...errors import PreprocessError


class HubError(PreprocessError):
    """A name is neither a folder nor a name on the hub that can be reached."""


def resolve_folder(name: str | Path, patterns: Sequence[str]) -> Path:
    """The folder `name` itself, or the download of that name from the hub or its cache.

    Args:
        name: of a folder, or on the hub.
        patterns: of the files that a download brings.

    Raises:
        HubError: it is neither.
    """
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(str(name), allow_patterns=list(patterns)))
    except (HFValidationError, HfHubHTTPError, OSError, ValueError) as error:
        raise HubError(f"'{name}' is neither a folder nor a hub name that can be reached: {error}") from error
