"""The streams of a training, compared with their cards before its first update."""

from collections.abc import Sequence
from pathlib import Path

import torch

from preprocess.files.cards.file_hashes import FileHashes
from preprocess.files.cards.named_files import HashFinder
from preprocess.files.hashing import hash_all

from ...data.data_bin import DataBin

DATA_HASHES = ".data_hashes.json"  # in the folder of the checkpoints


def compare_with_cards(data_bins: Sequence[DataBin], split: str, streams: Sequence[str], save_dir: str | None) -> None:
    """Compare streams with their cards; what an earlier start of the training has read is not read again.

    Args:
        data_bins: the data-bins of the training.
        split: of the streams.
        streams: their names.
        save_dir: where the training keeps its checkpoints, and what it has read; None: all is read.

    Raises:
        DataBinError: a file has changed.
    """
    find_hashes: HashFinder = hash_all
    if save_dir:
        is_first = not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0
        find_hashes = FileHashes(Path(save_dir, DATA_HASHES), is_writer=is_first).find
    for data_bin in data_bins:
        data_bin.compare((file for name in streams for file in data_bin.token_files(split, name)), find_hashes)
