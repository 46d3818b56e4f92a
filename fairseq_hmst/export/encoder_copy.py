"""A copy of a speech encoder without pickles: its configuration, and its weights as safetensors."""

import shutil
from pathlib import Path

from preprocess.files.hashing import hash_file
from preprocess.files.reading.finite import check_finite

from ..model_folder.errors import ModelFolderError
from ..model_folder.json_files import read_object, write_object

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
            config = read_object(source / name)
            write_object(folder / name, {key: value for key, value in config.items() if key not in LEFT_OUT})
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
    for path in paths:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            # a copy each: safetensors refuses tensors that share memory
            tensors |= {name: tensor.clone().contiguous() for name, tensor in state.items()}
        except (pickle.UnpicklingError, RuntimeError, EOFError, AttributeError) as error:
            raise ModelFolderError(f"cannot be read as weights: {error}", place=path) from error
        check_finite(state, path, "download the speech encoder again")
    if not tensors:
        raise ModelFolderError(
            "the encoder has no weights: no model.safetensors, no pytorch_model.bin", place=out.parent
        )
    save_file(tensors, out, metadata={"format": "pt"})
    out.chmod(0o644)
