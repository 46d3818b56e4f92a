"""A copy of a speech encoder that holds no pickle: its configuration, and its weights as safetensors."""

import shutil
from pathlib import Path

from .errors import ModelFolderError
from .sealing import hash_file, read_json, write_json

CONFIG_FILES = ("config.json", "preprocessor_config.json", "processor_config.json")
WEIGHTS = "model.safetensors"
# of the configuration: where it came from (a path of some machine), and code that would be run
LEFT_OUT = ("_name_or_path", "auto_map", "custom_pipelines")


def copy_encoder(source: Path, folder: Path) -> str | None:
    """Copy a folder of Hugging Face's; pickled weights are read without running code, and written as safetensors.

    Returns:
        The SHA-256 of the weights where they had to be rewritten; None where they are the same files.

    Raises:
        ModelFolderError: there are no weights, or they are pickles of something else than tensors.
    """
    folder.mkdir()
    for name in CONFIG_FILES:
        if (source / name).is_file():
            config = read_json(source / name)
            write_json(folder / name, {key: value for key, value in config.items() if key not in LEFT_OUT})
    weights = sorted(source.glob("model*.safetensors*"))
    for path in weights:
        shutil.copyfile(path, folder / path.name)
    if weights:
        return None
    _convert_pickles(sorted(source.glob("pytorch_model*.bin")), folder / WEIGHTS)
    return hash_file(folder / WEIGHTS)


def _convert_pickles(paths: list[Path], out: Path) -> None:
    import pickle

    import torch
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    try:
        for path in paths:
            state = torch.load(path, map_location="cpu", weights_only=True)
            # a copy each: safetensors refuses tensors that share memory
            tensors |= {name: tensor.clone().contiguous() for name, tensor in state.items()}
    except (pickle.UnpicklingError, RuntimeError, EOFError, AttributeError) as error:
        raise ModelFolderError(f"{path}: cannot be read as weights: {error}") from error
    if not tensors:
        raise ModelFolderError(f"{out.parent}: the encoder has no weights: no model.safetensors, no pytorch_model.bin")
    save_file(tensors, out, metadata={"format": "pt"})
    out.chmod(0o644)
