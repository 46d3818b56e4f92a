"""The start of the road's training: whether it may go on from the checkpoints that are there."""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from preprocess.errors import FileError
from preprocess.files.hashing import hash_file
from preprocess.files.reading.escaping import to_json
from preprocess.files.reading.json_file import read_json
from preprocess.files.whole import whole_file

from ..train.checkpoints import LAST_CHECKPOINT
from .step import RoadError

# Options that may be others when a training goes on; all else would mix two trainings.
CHANGEABLE = frozenset(
    "--max-update --max-epoch --stop-time-hours --stop-min-lr --patience --log-interval --log-format --log-file "
    "--tensorboard-logdir --wandb-project --num-workers --data-buffer-size --save-interval-updates "
    "--keep-interval-updates --keep-best-checkpoints --keep-last-epochs --validate-interval "
    "--validate-interval-updates --no-progress-bar --eval-bleu-beam".split()
)

DATA_BIN_HASH = "hash of the data-bin's card"
OTHER_FOLDER = "give another train.save-dir, or remove the folder"


def refuse_other_options(save_dir: Path, words: Sequence[str], card: Path) -> None:
    """Keep the options of a training beside it, and compare them where it goes on.

    Args:
        save_dir: of the training.
        words: its options.
        card: of its data-bin.

    Raises:
        RoadError: checkpoints are there that were trained with other options, or on another data-bin.
    """
    path = save_dir / ".road" / "training_options.json"
    options = {**_by_name(words), DATA_BIN_HASH: [hash_file(card)]}
    if path.is_file() and (save_dir / LAST_CHECKPOINT).is_file():
        try:
            former: Mapping[str, list[str]] = read_json(path, dict[str, list[str]])
        except FileError as error:
            raise RoadError.of(error, OTHER_FOLDER) from error
        changed = [name for name in sorted({*former, *options} - CHANGEABLE) if former.get(name) != options.get(name)]
        if DATA_BIN_HASH in changed:
            raise RoadError("its checkpoints were trained on another data-bin", place=save_dir, advice=OTHER_FOLDER)
        if changed:
            shown = ", ".join(f"{name} {' '.join(former.get(name, ['not given']))}" for name in changed)
            raise RoadError(
                f"its checkpoints were trained with other options: {shown}",
                place=save_dir,
                advice=f"give these again, or {OTHER_FOLDER.removeprefix('give ')}",
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        temporary.write_text(to_json(options), encoding="utf-8")


def measured(save_dir: Path, train: Callable[[], int]) -> int:
    """Run a training, and add its seconds and peak memory (MB) to SAVE_DIR/training.json; return its exit status."""
    started = time.perf_counter()
    status = train()
    path = save_dir / "training.json"
    former = read_figures(save_dir)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # kilobytes on Linux
    seconds = former.get("seconds", 0) + round(time.perf_counter() - started)
    figures = {"seconds": seconds, "peak_memory_mb": max(former.get("peak_memory_mb", 0), round(peak / 1024))}
    with whole_file(path) as temporary:
        temporary.write_bytes(msgspec.json.encode(figures) + b"\n")
    return status


def read_figures(save_dir: Path) -> dict[str, int]:
    """The figures in SAVE_DIR/training.json; none where there is none, or none that can be read."""
    try:
        return read_json(save_dir / "training.json", dict[str, int])
    except FileError:
        return {}


def _by_name(words: Sequence[str]) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    name = "data"
    for word in words:
        if word.startswith("--"):
            name, _, value = word.partition("=")
            options[name] = [value] if value else []
        else:
            options.setdefault(name, []).append(word)
    return options
