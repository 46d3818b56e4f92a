"""Decode a grid's finished cells on test sets with noise and at other speeds: `run_degraded.py GRID.yaml`.

Each cell is decoded with the checkpoint and the search that were chosen on dev, on units that are made of the worse
recordings (corpora/degraded.py). OUT/degraded.jsonl has a line for each cell: BLEU of speech by test set, the one
without a change included. What is finished is not decoded again.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from experiment_data import ROOT
from experiment_grid import Cell, Grid, parse_arguments
from experiment_results import read_result
from tqdm import tqdm

from preprocess.files.whole import whole_file

DEGRADED = Path(__file__).parent / "corpora" / "degraded.py"


def make_degraded(folder: Path) -> Path:
    """A data-bin of the test set's worse recordings, with the same k-means and subwords.

    Args:
        folder: of everything up to a data-bin; see `Cell.recipe_folder`.
    """
    out = folder / "degraded"
    if not (out / "data-bin" / "card.json").is_file():
        _run(DEGRADED, "--manifest", folder / "manifest" / "test.tsv", "--out", out / "manifest")
        for manifest in sorted((out / "manifest").glob("test_*.tsv")):
            units = out / "units" / f"{manifest.stem}.units"
            units.parent.mkdir(exist_ok=True)
            _run("-m", "preprocess", "units", "--manifest", manifest, "--kmeans", folder / "kmeans", "--out", units)
        inputs = ["--manifest-dir", out / "manifest", "--units-dir", out / "units", "--subwords", folder / "subwords"]
        card = json.loads((folder / "data-bin" / "card.json").read_text(encoding="utf-8"))
        _run("-m", "preprocess", "binarize", *inputs, "--repeat", card["repeat"], "--out", out / "data-bin")
    return out / "data-bin"


def decode_cell(grid: Grid, cell: Cell) -> dict[str, object]:
    """BLEU of a finished cell on each test set."""
    from experiment_decoding import DecodingJob, generate

    folder = cell.folder
    found = folder / "degraded.json"
    if not found.is_file():
        job: DecodingJob = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        data_bin = make_degraded(cell.recipe_folder)
        setting = json.loads((folder / "decoded.json").read_text(encoding="utf-8"))["decoding"]
        setting["checkpoint"] = setting["checkpoint"].replace("OUT", str(grid.out))
        result = read_result(folder) or {}
        scores: dict[str, float] = {"test": result["st"]["bleu"]}
        for split in sorted(path.stem for path in (data_bin.parent / "manifest").glob("test_*.tsv")):
            degraded_job: DecodingJob = {**job, "data_bin": str(data_bin)}
            scores[split] = generate(degraded_job, setting, split, "st", folder / f"{split}.txt").bleu
        with whole_file(found) as temporary:
            temporary.write_text(json.dumps({"cell": cell.name, **cell.values, "bleu": scores}) + "\n")
    return json.loads(found.read_text(encoding="utf-8"))


def _run(*command: object) -> None:
    subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=True)


def _finished(grid: Grid) -> Iterable[Cell]:
    return [cell for cell in grid.cells if read_result(cell.folder) is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    grid, _ = parse_arguments(parser)
    lines = [json.dumps(decode_cell(grid, cell)) + "\n" for cell in tqdm(_finished(grid), "cells")]
    with whole_file(grid.out / "degraded.jsonl") as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
