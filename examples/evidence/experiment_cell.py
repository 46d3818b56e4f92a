"""One cell of a grid: train, average checkpoints, decode, and put everything into result.json.

What is finished is kept: a training that was interrupted goes on from its last checkpoint, result.json comes last.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_data import ROOT, recipe_command
from experiment_grid import Cell, Grid, Stream

from preprocess.errors import UserError
from preprocess.files.whole import whole_file

TOOLS = ROOT / "examples" / "tools"
sys.path.insert(0, str(TOOLS))
from curves import read_curve  # noqa: E402

if TYPE_CHECKING:  # it imports fairseq, which takes seconds
    from experiment_decoding import Decoded, DecodingJob

MEASURE = TOOLS / "measure.py"
DECODE = Path(__file__).parent / "experiment_decoding.py"
TASK = ["--user-dir", "fairseq_hmst", "--task", "hmst_translation"]


class CellError(UserError):
    """A cell's folder holds another training than the grid asks for."""


def check_cell(grid: Grid, cell: Cell) -> None:
    """Record what a cell is made by; refuse a folder that was begun with something else.

    Raises:
        CellError: the message has both.
    """
    path = cell.folder / "commands.json"
    made_by = {**_commands(grid, cell), "decoding": json.dumps(grid.decoding)}
    if not path.is_file():
        _write(path, made_by)
    recorded = json.loads(path.read_text(encoding="utf-8"))
    for name, expected in made_by.items():
        if _without_recipe(recorded[name]) != _without_recipe(expected):
            raise CellError(
                "the cell was begun with other options than the grid has now",
                place=path.parent,
                advice=f"remove the folder, or give another --out\nfound:    {recorded[name]}\nexpected: {expected}",
            )


def run_cell(grid: Grid, cell: Cell) -> None:
    """Run what is not finished of a cell that `check_cell` has let pass.

    Raises:
        subprocess.CalledProcessError: a command failed; cell.log in the cell's folder has what it said.
    """
    folder = cell.folder
    if (folder / "result.json").is_file():
        return
    if not (folder / "training.json").is_file():
        _run([sys.executable, str(MEASURE), str(folder / "training.json"), *_training_command(grid, cell)], folder)
    decoded = _decode(grid, cell, _candidates(folder))
    card = json.loads((cell.data_bin / "card.json").read_text(encoding="utf-8"))
    result: dict[str, object] = {
        "cell": cell.name,
        **cell.values,
        "commands": _commands(grid, cell),
        "signature": card["signature"],
        **json.loads((folder / "training.json").read_text(encoding="utf-8")),
        **read_curves(folder / "train.log", cell.score[0]),
        **decoded,
    }
    _write(folder / "result.json", result)
    for checkpoint in folder.glob("checkpoint*.pt"):
        if checkpoint.name != Path(str(decoded["decoding"]["checkpoint"])).name:
            checkpoint.unlink()


def read_curves(log: Path, stream: Stream) -> dict[str, dict[int, float]]:
    """Validation of a stream by updates: BLEU (greedy), and negative log-likelihood in bits per target token.

    The likelihood is that under the head that decoding follows: the attention decoder where there is one, else
    transducer, else CTC; none is label-smoothed.
    """
    by_head = (read_curve(log, f"{stream}_{name}") for name in ("nll", "transducer_loss", "ctc_loss"))
    return {"bleu_curve": read_curve(log), "nll_curve": next(filter(None, by_head), {})}


def _training_command(grid: Grid, cell: Cell) -> list[str]:
    folder = cell.folder
    command = ["fairseq-train", str(cell.data_bin), *TASK, *grid.training, *cell.options]
    return [*command, "--save-dir", str(folder), "--log-file", str(folder / "train.log")]


def _commands(grid: Grid, cell: Cell) -> dict[str, str]:
    """Commands that make data-bin and model; paths relative to the repository's root, OUT for the grid's."""
    commands = {"data": recipe_command(grid, cell), "train": _training_command(grid, cell)}
    return {name: _shorten(grid, shlex.join(command)) for name, command in commands.items()}


def _shorten(grid: Grid, text: str) -> str:
    for long, short in {sys.executable: "python", str(grid.out): "OUT", f"{ROOT}/": ""}.items():
        text = text.replace(long, short)
    return text


def _without_recipe(command: str) -> str:
    """A command without its recipe's path: a cell goes on where the recipe has only been moved."""
    begin, is_recipe, end = command.partition("preprocess run ")
    return begin + end.partition(" --out ")[2] if is_recipe else command


def _candidates(folder: Path) -> list[str]:
    """Checkpoints of which one will decode: the mean of the best that were kept, and the last."""
    kept = sorted(map(str, folder.glob("checkpoint.best_*.pt")))
    average = folder / "checkpoint_average.pt"
    _run([sys.executable, "-m", "fairseq_hmst", "average", "--model", *kept, "--out", str(average)], folder)
    return [str(average), str(folder / "checkpoint_last.pt")]


def _decode(grid: Grid, cell: Cell, checkpoints: list[str]) -> "Decoded":
    folder = cell.folder
    is_joint = any("ctc_attention" in option for option in cell.options)
    device = [option for option in ("--cpu", "--bf16", "--fp16") if option in grid.training]
    job: DecodingJob = {
        "data_bin": str(cell.data_bin),
        "checkpoints": checkpoints,
        "decoding": {name: tried for name, tried in grid.decoding.items() if is_joint or name != "ctc-decode-weight"},
        "score": cell.score,
        "options": [*"--scoring sacrebleu --max-tokens 4000 --num-workers 0 --no-progress-bar".split(), *device],
    }
    _write(folder / "job.json", job)
    _run([sys.executable, str(DECODE), str(folder / "job.json"), str(folder / "decoded.json")], folder)
    return json.loads(_shorten(grid, (folder / "decoded.json").read_text(encoding="utf-8")))


def _write(path: Path, content: Mapping[str, object]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def _run(command: list[str], folder: Path) -> None:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with (folder / "cell.log").open("a", encoding="utf-8") as log:
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, stdout=log, stderr=subprocess.STDOUT, check=True
        )
