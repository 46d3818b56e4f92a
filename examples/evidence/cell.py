"""One cell of a grid: train, average checkpoints, decode, and put everything into result.json.

What is finished is kept: a training that was interrupted goes on from its last checkpoint, result.json comes last.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from data import ROOT, recipe_command, recipe_folder
from grid import Cell, Grid

TOOLS = ROOT / "examples" / "tools"
MEASURE = TOOLS / "measure.py"
DECODE = Path(__file__).parent / "decode.py"
TASK = ["--user-dir", "fairseq_hmst", "--task", "hmst_translation"]
sys.path.insert(0, str(TOOLS))
from curves import read_curve  # noqa: E402


class CellError(Exception):
    """A cell's folder holds another training than the grid asks for."""


def cell_folder(grid: Grid, cell: Cell) -> Path:
    """Where the cell's log, checkpoint, translations and result.json are."""
    return grid.out / "cells" / cell.name


def check_cell(grid: Grid, cell: Cell) -> None:
    """Record what a cell is made by; refuse a folder that was begun with something else.

    Raises:
        CellError: the message has both.
    """
    path = cell_folder(grid, cell) / "commands.json"
    made_by = {**_commands(grid, cell), "decoding": json.dumps(grid.decoding)}
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, made_by)
    recorded = json.loads(path.read_text(encoding="utf-8"))
    for name, expected in made_by.items():
        if recorded[name] != expected:
            raise CellError(
                f"{path.parent} was begun with other options than the grid has now; remove it, or give another --out\n"
                f"found:    {recorded[name]}\nexpected: {expected}"
            )


def run_cell(grid: Grid, cell: Cell) -> None:
    """Run what is not finished of a cell that `check_cell` has let pass.

    Raises:
        subprocess.CalledProcessError: a command failed; cell.log in the cell's folder has what it said.
    """
    folder = cell_folder(grid, cell)
    if (folder / "result.json").is_file():
        return
    data_bin = recipe_folder(grid, cell) / "data-bin"
    if not (folder / "training.json").is_file():
        _run([sys.executable, str(MEASURE), str(folder / "training.json"), *_training_command(grid, cell)], folder)
    decoded = _decode(grid, cell, data_bin, folder, _average(folder))
    result: dict[str, Any] = {"cell": cell.name, **cell.values, "commands": _commands(grid, cell)}
    result["signature"] = json.loads((data_bin / "card.json").read_text(encoding="utf-8"))["signature"]
    result |= json.loads((folder / "training.json").read_text(encoding="utf-8"))
    result |= {**read_curves(folder / "train.log", cell.score[0]), **decoded}
    _write(folder / "result.json", result)
    for checkpoint in folder.glob("checkpoint*.pt"):
        if checkpoint.name != Path(decoded["decoding"]["checkpoint"]).name:
            checkpoint.unlink()


def read_curves(log: Path, stream: str) -> dict[str, dict[int, float]]:
    """Validation of a stream by updates: BLEU (greedy), and bits per target token under the head that decoding follows.

    That head is the attention decoder where there is one, else the transducer, else CTC; none is label-smoothed.
    """
    by_head = (read_curve(log, f"{stream}_{name}") for name in ("nll", "transducer_loss", "ctc_loss"))
    return {"bleu_curve": read_curve(log), "nll_curve": next(filter(None, by_head), {})}


def _training_command(grid: Grid, cell: Cell) -> list[str]:
    folder, data_bin = cell_folder(grid, cell), recipe_folder(grid, cell) / "data-bin"
    command = ["fairseq-train", str(data_bin), *TASK, *grid.training, *cell.options]
    return [*command, "--save-dir", str(folder), "--log-file", str(folder / "train.log")]


def _commands(grid: Grid, cell: Cell) -> dict[str, str]:
    """What makes data-bin and model; paths relative to the repository's root, OUT for the grid's."""
    commands = {"data": recipe_command(grid, cell), "train": _training_command(grid, cell)}
    return {name: _shorten(grid, shlex.join(command)) for name, command in commands.items()}


def _shorten(grid: Grid, text: str) -> str:
    for long, short in {sys.executable: "python", str(grid.out): "OUT", f"{ROOT}/": ""}.items():
        text = text.replace(long, short)
    return text


def _average(folder: Path) -> list[str]:
    """Checkpoints that are candidates: the mean of the best that were kept, and the last."""
    kept = sorted(map(str, folder.glob("checkpoint.best_*.pt")))
    average = folder / "checkpoint_average.pt"
    _run([sys.executable, "-m", "fairseq_hmst.average", "--inputs", *kept, "--output", str(average)], folder)
    return [str(average), str(folder / "checkpoint_last.pt")]


def _decode(grid: Grid, cell: Cell, data_bin: Path, folder: Path, checkpoints: list[str]) -> dict[str, Any]:
    is_joint = any("ctc_attention" in option for option in cell.options)
    decoding = {name: values for name, values in grid.decoding.items() if is_joint or name != "ctc-decode-weight"}
    device = [option for option in ("--cpu", "--bf16", "--fp16") if option in grid.training]
    options = ["--scoring", "sacrebleu", "--max-tokens", "4000", "--num-workers", "0", "--no-progress-bar", *device]
    job = {"data_bin": str(data_bin), "checkpoints": checkpoints, "decoding": decoding, "score": cell.score}
    (folder / "job.json").write_text(json.dumps({**job, "options": options}), encoding="utf-8")
    _run([sys.executable, str(DECODE), str(folder / "job.json"), str(folder / "decoded.json")], folder)
    return json.loads(_shorten(grid, (folder / "decoded.json").read_text(encoding="utf-8")))


def _write(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _run(command: list[str], folder: Path) -> None:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with (folder / "cell.log").open("a", encoding="utf-8") as log:
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, stdout=log, stderr=subprocess.STDOUT, check=True
        )
