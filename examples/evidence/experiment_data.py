"""The data-bins of a grid's cells: one for each set of the recipe's values, made once."""

import shlex
import subprocess
import sys
from pathlib import Path

from experiment_grid import Cell, Grid

ROOT = Path(__file__).resolve().parents[2]


def prepare_corpus(grid: Grid) -> None:
    """Run the grid's `prepare`, unless it was finished before."""
    done = grid.out / "corpus.done"
    if not done.is_file():
        grid.out.mkdir(parents=True, exist_ok=True)
        subprocess.run(shlex.split(grid.prepare), cwd=ROOT, check=True)
        done.write_text(grid.prepare + "\n", encoding="utf-8")


def recipe_command(grid: Grid, cell: Cell) -> list[str]:
    """Command that makes the cell's data-bin."""
    command = [sys.executable, "-m", "preprocess", "run", str(grid.recipe), "--out", str(cell.recipe_folder)]
    for name, value in cell.settings.items():
        command += ["--set", f"{name}={value}"]
    return command


def make_data_bin(grid: Grid, cell: Cell) -> None:
    """Make the cell's data-bin, or keep what is there.

    Raises:
        subprocess.CalledProcessError: the recipe failed; what it said is in recipe.log.
    """
    cell.recipe_folder.mkdir(parents=True, exist_ok=True)
    with (cell.recipe_folder / "recipe.log").open("a", encoding="utf-8") as log:
        subprocess.run(recipe_command(grid, cell), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=True)
