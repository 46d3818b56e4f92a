"""Copies of a checkpoint under its other names, each whole or not there."""

import shutil
from pathlib import Path

from fairseq.file_io import PathManager

from preprocess.files.whole import whole_file

from .reading import CHECKPOINTS

PARTIAL_NAMES = (f"{CHECKPOINTS}.tmp", f".{CHECKPOINTS}.partial")  # of fairseq, of whole_file

_fairseq_copy = PathManager.copy


def copy(src_path: str, dst_path: str, overwrite: bool = False) -> bool:
    """Copy a file; what is at the other path stays until the copy is whole.

    Args:
        src_path: an existing file.
        dst_path: where to.
        overwrite: passed to fairseq for places that are no paths of this machine.

    Returns:
        True, which fairseq asks for.

    Raises:
        OutputError: the copy cannot be written.
    """
    if PathManager.path_requires_pathmanager(dst_path):
        return bool(_fairseq_copy(src_path, dst_path, overwrite))
    with whole_file(Path(dst_path)) as temporary:
        shutil.copyfile(src_path, temporary)
    return True


def sweep(folder: Path) -> None:
    """Remove what a training that was killed while it saved has left of a checkpoint."""
    for pattern in PARTIAL_NAMES:
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


PathManager.copy = staticmethod(copy)
