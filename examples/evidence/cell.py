"""One cell of a grid: train, average checkpoints, decode, and put everything into result.json.

What is finished is kept: a training that was interrupted goes on from its last checkpoint, result.json comes last.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from data import ROOT, recipe_command, recipe_folder
from grid import Cell, Grid

MEASURE = ROOT / "examples" / "prompts" / "measure.py"
CURVES = ROOT / "examples" / "prompts"
DECODE = Path(__file__).parent / "decode.py"
TASK = ["--user-dir", "fairseq_hmst", "--task", "hmst_translation"]
sys.path.insert(0, str(CURVES))
from curves import read_curve  # noqa: E402


def cell_folder(grid: Grid, cell: Cell) -> Path:
    return grid.out / "cells" / cell.name


def run_cell(grid: Grid, cell: Cell) -> dict[str, Any]:
    """Run what is not finished, and return the content of result.json.

    Raises:
        subprocess.CalledProcessError: a command failed; cell.log in the cell's folder has what it said.
    """
    folder = cell_folder(grid, cell)
    result_path = folder / "result.json"
    if not result_path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        data_bin = recipe_folder(grid, cell) / "data-bin"
        start = _convert_text_model(cell, data_bin, folder)
        train = [*("fairseq-train", str(data_bin)), *TASK, *grid.training, *cell.options, *start]
        train += ["--save-dir", str(folder), "--log-file", str(folder / "train.log")]
        if not (folder / "training.json").is_file():
            _run([sys.executable, str(MEASURE), str(folder / "training.json"), *train], folder)
        decoded = _decode(grid, cell, data_bin, folder, _average(folder))
        commands = {"data": recipe_command(grid, cell), "train": train}
        result = {"cell": cell.name, **cell.values, "commands": {k: _shorten(grid, v) for k, v in commands.items()}}
        result["signature"] = json.loads((data_bin / "card.json").read_text(encoding="utf-8"))["signature"]
        result |= json.loads((folder / "training.json").read_text(encoding="utf-8"))
        result |= {"curve": read_curve(folder / "train.log"), **decoded}
        partial = result_path.with_suffix(".partial")
        partial.write_text(json.dumps(result, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(result_path)
        for checkpoint in folder.glob("checkpoint*.pt"):
            if str(checkpoint) != decoded["decoding"]["checkpoint"]:
                checkpoint.unlink()
    return json.loads(result_path.read_text(encoding="utf-8"))


def _convert_text_model(cell: Cell, data_bin: Path, folder: Path) -> list[str]:
    if cell.text_model is None:
        return []
    start = folder / "mbart.pt"
    if not start.is_file():
        convert = [sys.executable, "-m", "fairseq_hmst.mbart", "--from", cell.text_model]
        _run([*convert, "--data", str(data_bin), "--out", str(start)], folder)
    return ["--init-from", str(start)]


def _average(folder: Path) -> list[str]:
    """Checkpoints that are candidates: the mean of the best that were kept, and the last."""
    kept = sorted(map(str, folder.glob("checkpoint.best_*.pt")))
    average = folder / "checkpoint_average.pt"
    _run([sys.executable, "-m", "fairseq_hmst.average", "--inputs", *kept, "--output", str(average)], folder)
    return [str(average), str(folder / "checkpoint_last.pt")]


def _decode(grid: Grid, cell: Cell, data_bin: Path, folder: Path, checkpoints: list[str]) -> dict[str, Any]:
    is_joint = any("ctc_attention" in option for option in cell.options)
    decoding = {name: values for name, values in grid.decoding.items() if is_joint or name != "ctc-decode-weight"}
    cpu = [option for option in ("--cpu", "--bf16", "--fp16") if option in grid.training]
    options = ["--scoring", "sacrebleu", "--max-tokens", "4000", "--num-workers", "0", "--no-progress-bar", *cpu]
    job = {"data_bin": str(data_bin), "checkpoints": checkpoints, "decoding": decoding, "score": cell.score}
    (folder / "job.json").write_text(json.dumps({**job, "options": options}), encoding="utf-8")
    _run([sys.executable, str(DECODE), str(folder / "job.json"), str(folder / "decoded.json")], folder)
    return json.loads((folder / "decoded.json").read_text(encoding="utf-8"))


def _run(command: list[str], folder: Path) -> None:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with (folder / "cell.log").open("a", encoding="utf-8") as log:
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, stdout=log, stderr=subprocess.STDOUT, check=True
        )


def _shorten(grid: Grid, command: list[str]) -> str:
    """A command for people: paths relative to the repository's root, Python by its name."""
    names = {sys.executable: "python", str(grid.out): "OUT", f"{ROOT}/": ""}
    text = " ".join(command)
    for long, short in names.items():
        text = text.replace(long, short)
    return text
