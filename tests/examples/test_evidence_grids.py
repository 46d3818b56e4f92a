"""Grids of the evidence example: their form, those that are there, and their stored results."""

import json
import re
import sys

import pytest
from evidence_grid import EXAMPLE, GRID, example_on_path, write_grid  # noqa: F401
from toy import REPOSITORY, run_command


def test_cells_are_all_combinations_and_each_is_run_once(tmp_path):
    from experiment_grid import read_grid

    grid = read_grid(write_grid(tmp_path))
    assert [cell.name for cell in grid.cells] == ["default", "setting=st+mt", "family=ctc"]
    assert grid.cells[1].options == "--arch hmst_ctc_attention_tiny --streams st,mt --seed 1".split()
    assert grid.cells[1].settings["binarize.mt-text"] == f"[{tmp_path}/out/corpus/fr/external.tsv]"
    assert grid.cells[0].settings == grid.cells[2].settings


def test_values_of_a_cell_are_filled_in(tmp_path):
    from experiment_grid import read_grid

    text = GRID.replace("experiments:\n", "experiments:\n  spanish: {target: es}\n").replace(
        'es: ""}', "es: '--user {target}'}"
    )
    cell = read_grid(write_grid(tmp_path, text)).cells[0]
    assert cell.name == "target=es"
    assert cell.settings["manifest.root"] == f"{tmp_path}/out/corpus/es"
    assert cell.settings["manifest.tgt-lang"] == "es"
    assert cell.options[-4:] == ["--user", "es", "--seed", "1"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("axes:", "axis:", "unknown key 'axis'"),
        ("decoding: {beam: [2, 1], ", "decoding: {", "decoding: missing key 'beam'"),
        ("setting: [st, st+mt]", "setting: [st, mt]", "setting has no value 'mt'; it has: st, st\\+mt"),
        ("{family: [ctc_attention], ", "{model: [ctc], ", "text-helps: unknown key 'model'"),
        ("score: [st, mt]", "scores: [st]", "setting: st\\+mt: unknown key 'scores'"),
        ("out: out", "out: [", "grid.yaml"),
        ("corpus/{target}/train.tsv", "corpus/{tagret}/train.tsv", "{tagret} is not known; there are: out, "),
        ("--out {out}/corpus", "--out {outs}/corpus", "prepare: {outs} is not known; there are: out"),
    ],
)
def test_grids_at_fault_are_refused(tmp_path, old, new, message):
    from experiment_grid import GridError, read_grid

    assert old in GRID
    with pytest.raises(GridError, match=message):
        read_grid(write_grid(tmp_path, GRID.replace(old, new)))


@pytest.mark.parametrize("script", ["run_experiments.py", "report_experiments.py"])
def test_a_grid_at_fault_ends_the_command_with_its_message(tmp_path, script):
    result = run_command(sys.executable, EXAMPLE / script, write_grid(tmp_path, GRID.replace("axes:", "axis:")))
    assert result.returncode == 2
    assert f"{script}: error: {tmp_path}/grid.yaml: unknown key 'axis'" in result.stderr


HELP_PAGES = "corpora/help_pages.py --units /given --target de --speech-rows 6000 --out OUT/corpus"


@pytest.mark.parametrize(
    ("name", "cells", "prepare"),
    [
        ("help_pages_gpu", 24, HELP_PAGES),
        ("help_pages", 13, HELP_PAGES),
        ("fish_fillets", 6, "corpora/fish_fillets.sh OUT/corpus"),
        ("announcements", None, "corpora/announcements.sh OUT/corpus"),
        ("learning", None, "corpora/announcements.sh OUT/corpus"),
    ],
)
def test_the_grids_are_whole(tmp_path, monkeypatch, name, cells, prepare):
    from experiment_grid import read_grid

    monkeypatch.setenv("UNITS", "/given")
    grid = read_grid(EXAMPLE / f"grids/{name}.yaml", tmp_path)
    assert cells is None or len(grid.cells) == cells
    assert grid.prepare.endswith(prepare.replace("OUT", str(tmp_path)))
    assert (REPOSITORY / grid.prepare.split()[1]).is_file()
    assert grid.recipe == tmp_path / "corpus/recipe.yaml" or grid.recipe.is_file()
    assert read_grid(EXAMPLE / f"grids/{name}.yaml").out == EXAMPLE / "out" / name
    commands = {tuple(cell.options + sorted(cell.settings.items())) for cell in grid.cells}
    assert len(commands) == len(grid.cells)  # no two cells are the same training


@pytest.mark.parametrize("name", ["announcements", "help_pages", "fish_fillets", "learning"])
def test_every_result_that_is_stored_belongs_to_a_cell_of_its_grid(tmp_path, monkeypatch, name):
    from experiment_cell import CellError, check_cell
    from experiment_grid import read_grid

    monkeypatch.setenv("UNITS", "/given")
    grid = read_grid(EXAMPLE / f"grids/{name}.yaml", tmp_path)
    cells = {cell.name: cell for cell in grid.cells}
    for line in (EXAMPLE / f"results/{name}.jsonl").read_text(encoding="utf-8").splitlines():
        result = json.loads(line)
        cell = cells[result["cell"]]
        for axis, value in cell.values.items():
            assert result.get(axis, value) == value
            assert axis in result or f"{axis}=" not in cell.name  # an axis that came later has its default
        # as its folder has them: what it was made by, though recipes have been moved since
        data = f"OUT/data/{cell.recipe_folder.name}"  # depends on where OUT is
        made_by = {key: re.sub(r"OUT/data/\w+", data, command) for key, command in result["commands"].items()}
        path = cell.folder / "commands.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({**made_by, "decoding": json.dumps(grid.decoding)}))
        check_cell(grid, cell)

    path.write_text(path.read_text().replace("OUT/corpus/", "OUT/other/").replace("--lr 0.00", "--lr 0.01"))
    with pytest.raises(CellError, match="other options than the grid has now; remove the folder") as caught:
        check_cell(grid, cell)
    assert caught.value.places == (str(path.parent),)


def test_results_on_degraded_recordings_are_of_stored_trainings():
    trained, degraded = (
        {line["cell"]: line for line in map(json.loads, (EXAMPLE / f"results/{name}.jsonl").read_text().splitlines())}
        for name in ("learning", "learning_degraded")
    )
    assert degraded
    for cell, found in degraded.items():
        assert found["bleu"]["test"] == trained[cell]["st"]["bleu"]
