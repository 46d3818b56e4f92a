"""Cuts of the data-bins of a training: found once, and kept beside its checkpoints."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from fairseq.distributed import utils as distributed_utils

from preprocess.errors import FileError, UserError
from preprocess.files.hashing import hash_file, hash_text
from preprocess.files.reading.archive import check_archive
from preprocess.files.whole import whole_file

from ...data.data_bin import DataBin
from ...data.stream_rows import load_stream
from ...data.variation.prefixes import Cuts
from .aligner import Aligner

if TYPE_CHECKING:
    from ...models.hmst_model import ModelTask

VERSION = 1  # of the way from a model to cuts


def find_cuts(
    task: "ModelTask", data_bins: Sequence[DataBin], split: str, checkpoint: str, save_dir: str | None
) -> list[Cuts]:
    """Cuts of the speech stream of each data-bin; in a training of several processes the first finds them for all.

    Args:
        task: of the training.
        data_bins: of one vocabulary.
        split: of the streams.
        checkpoint: of the model that aligns.
        save_dir: where cuts are kept, to be read again as long as model and streams are the same; None: nowhere.

    Raises:
        UserError: see `Aligner.read`.
        OSError: there is no such checkpoint.
        OutputError: `save_dir` cannot be written.
    """
    if not torch.distributed.is_initialized():
        return _find(task, data_bins, split, checkpoint, save_dir)
    found: list[Cuts] | Exception = []
    if torch.distributed.get_rank() == 0:
        try:
            found = _find(task, data_bins, split, checkpoint, save_dir)
        except (UserError, OSError) as error:
            found = error
    found = distributed_utils.broadcast_object(found, 0, distributed_utils.get_global_group())
    if isinstance(found, Exception):
        raise found
    return found


def _find(
    task: "ModelTask", data_bins: Sequence[DataBin], split: str, checkpoint: str, save_dir: str | None
) -> list[Cuts]:
    model_hash = hash_file(Path(checkpoint))
    aligner: Aligner | None = None
    all_cuts = []
    for number, data_bin in enumerate(data_bins, 1):
        path = None if save_dir is None else Path(save_dir, f".cuts.{split}.{number}.npz")
        hashes = [data_bin.card.hashes[name].sha256 for name in data_bin.token_files(split, "st")]
        origin = hash_text(" ".join([str(VERSION), model_hash, *hashes]))
        cuts = None if path is None else _read(path, origin)
        if cuts is None:
            aligner = aligner or Aligner.read(checkpoint, task)
            cuts = aligner.find_cuts(load_stream(data_bin, split, "st"), f"{data_bin.path}/{split}.st")
            if path is not None:
                _write(path, origin, cuts)
        all_cuts.append(cuts)
    return all_cuts


def _read(path: Path, origin: str) -> Cuts | None:
    """The cuts in a file; None where it is missing, damaged or of another origin."""
    try:
        check_archive(path)
        with np.load(path, allow_pickle=False) as arrays:
            return Cuts(arrays["places"], arrays["counts"]) if str(arrays["origin"]) == origin else None
    except (FileError, OSError, ValueError, KeyError):
        return None


def _write(path: Path, origin: str, cuts: Cuts) -> None:
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, allow_pickle=False, origin=np.array(origin), places=cuts.places, counts=cuts.counts)
