"""Run a grid of experiments: `python examples/evidence/run_experiments.py GRID.yaml`.

Each cell is a data-bin, a fairseq-train and a fairseq-generate; OUT/results.jsonl has a line for each finished cell,
and OUT/cells/NAME its log, checkpoint and translations. What is finished is not run again: interrupt it whenever you
like and start it again.
"""

import argparse
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from experiment_cell import check_cell, run_cell
from experiment_data import make_data_bin, prepare_corpus
from experiment_grid import Cell, Grid, parse_arguments
from experiment_results import write_results
from tqdm import tqdm

from preprocess.errors import UserError
from preprocess.files.lock import locked

WRITING = threading.Lock()


def run_cells(grid: Grid, chosen: list[Cell], jobs: int) -> int:
    """Run the chosen cells, `jobs` at a time, and return the number of those that failed.

    Raises:
        CellError: a cell's folder was begun with other options.
        subprocess.CalledProcessError: the corpus cannot be prepared.
    """
    for cell in chosen:
        check_cell(grid, cell)
    prepare_corpus(grid)
    by_data = {cell.recipe_folder: cell for cell in chosen}
    failed = _in_parallel(lambda cell: make_data_bin(grid, cell), list(by_data.values()), jobs, "data-bins")
    without_data = {cell.recipe_folder for cell in failed}
    for cell in failed:
        _tell_failure(cell.recipe_folder / "recipe.log")
    cells = [cell for cell in chosen if cell.recipe_folder not in without_data]

    def run(cell: Cell) -> None:
        run_cell(grid, cell)
        with WRITING:
            write_results(grid)

    failed_cells = _in_parallel(run, cells, jobs, "cells")
    for cell in failed_cells:
        _tell_failure(cell.folder / "cell.log")
    write_results(grid)
    return len(failed_cells) + len(chosen) - len(cells)


def _in_parallel(work: Callable[[Cell], object], cells: list[Cell], jobs: int, name: str) -> list[Cell]:
    failed = []
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(work, cell): cell for cell in cells}
        for done in tqdm(as_completed(waiting), total=len(waiting), desc=name):
            try:
                done.result()
            except subprocess.CalledProcessError:
                failed.append(waiting[done])
    return failed


def _tell_failure(log: Path) -> None:
    end = log.read_text(encoding="utf-8").splitlines()[-3:]
    print("\n".join([f"failed: {log}, which ends with", *end]), file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time, default 1; set OMP_NUM_THREADS to fit")
    parser.add_argument("--only", nargs="+", metavar="EXPERIMENT", help="experiments to run; default: all")
    parser.add_argument("--list", action="store_true", help="name the cells, run nothing")
    grid, arguments = parse_arguments(parser)
    chosen = grid.cells
    if arguments.only:
        known = {experiment for cell in grid.cells for experiment in cell.experiments}
        if unknown := set(arguments.only) - known:
            parser.error(f"no experiment '{min(unknown)}'; the grid has: {', '.join(sorted(known))}")
        chosen = [cell for cell in grid.cells if set(cell.experiments) & set(arguments.only)]
    if arguments.list:
        print("\n".join(cell.name for cell in chosen))
        return 0
    try:
        with locked(grid.out):
            return 1 if run_cells(grid, chosen, arguments.jobs) else 0
    except (UserError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
