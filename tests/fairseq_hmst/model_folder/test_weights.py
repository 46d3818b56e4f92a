"""Weights of a model on disk."""

import os
from pathlib import Path

import pytest
import torch

from fairseq_hmst.model_folder.errors import ModelFolderError
from fairseq_hmst.model_folder.folder import read_weights, write_weights


def test_weights_in_a_folder_whose_name_is_not_utf_8_are_one_clear_error(tmp_path: Path):
    folder = tmp_path / os.fsdecode(b"Gespr\xe4che")
    folder.mkdir()
    write_weights(torch.nn.Linear(2, 2), tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").rename(folder / "model.safetensors")
    with pytest.raises(ModelFolderError, match=r"safetensors opens no path that is not UTF-8; rename the folder"):
        read_weights(folder / "model.safetensors")
