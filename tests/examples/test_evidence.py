"""The evidence example: grids, from a small one to its report, and what becomes of an interrupted one."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from toy import REPOSITORY, run_command

from preprocess.files.manifest import read_manifest

EXAMPLE = REPOSITORY / "examples" / "evidence"
GRID = """\
out: out
prepare: python examples/evidence/corpora/announcements.py --train 60 --text 80 --dev 12 --test 12 --out {out}/corpus
recipe: RECIPE
set:
  manifest.root: "{out}/corpus/{target}"
  manifest.tgt-lang: "{target}"
  kmeans.clusters: 16
  subwords.unit-vocab: 30
  subwords.source-vocab: 80
  subwords.target-vocab: 80
  subwords.source-text: "[{out}/corpus/{target}/train.tsv, {out}/corpus/{target}/external.tsv]"
  subwords.target-text: "[{out}/corpus/{target}/train.tsv, {out}/corpus/{target}/external.tsv]"
training: >-
  --criterion hmst_joint --optimizer adam --lr 0.001 --max-tokens 2000 --max-update 4 --cpu --num-workers 0
  --embed-dim 16 --ffn-embed-dim 32 --attention-heads 2 --encoder-layers 2
  --eval-bleu --validate-interval 1000 --validate-interval-updates 2 --save-interval-updates 2
  --keep-best-checkpoints 2 --best-checkpoint-metric bleu --maximize-best-checkpoint-metric
  --no-epoch-checkpoints --no-progress-bar --log-format simple
decoding: {beam: [2, 1], lenpen: [1, 0.5], ctc-decode-weight: [0.3, 0.5]}
axes:
  family:
    ctc_attention: --arch hmst_ctc_attention_tiny
    ctc: --arch hmst_ctc_tiny
  setting:
    st: --streams st
    st+mt:
      options: --streams st,mt
      set: {binarize.mt-text: "[{out}/corpus/{target}/external.tsv]"}
      score: [st, mt]
  target: {fr: "", es: ""}
  seed: {1: --seed 1, 2: --seed 2}
experiments:
  text-helps: {family: [ctc_attention], setting: [st, st+mt], against: {setting: st}}
  families: {family: [ctc_attention, ctc], setting: st}
"""


@pytest.fixture(autouse=True)
def example_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(EXAMPLE / "corpora"))


def write_grid(folder: Path, text: str = GRID) -> Path:
    path = folder / "grid.yaml"
    path.write_text(text.replace("RECIPE", str(EXAMPLE / "corpora/announcements_recipe.yaml")), encoding="utf-8")
    return path


def run_grid(path: Path, *options: object):
    return run_command(sys.executable, EXAMPLE / "run_experiments.py", path, *options)


def test_a_grid_runs_resumes_and_reports_and_a_cell_that_fails_is_named(tmp_path):
    at_fault = GRID.replace("    st+mt:\n", "    nothing: --streams nothing\n    st+mt:\n")
    at_fault = at_fault.replace("setting: [st, st+mt], against", "setting: [st, nothing, st+mt], against")
    path, out = write_grid(tmp_path, at_fault), tmp_path / "out"
    first = run_grid(path, "--only", "text-helps")
    assert first.returncode == 1, first.stderr[-3000:]
    assert f"failed: {out}/cells/setting=nothing/cell.log" in first.stderr
    assert "streams must be st,mt or st or mt" in (out / "cells/setting=nothing/cell.log").read_text()
    path = write_grid(tmp_path)
    results = [json.loads(line) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [result["cell"] for result in results] == ["default", "setting=st+mt"]
    assert results[0]["experiments"] == ["text-helps", "families"]
    assert "mt" not in results[0]
    assert results[1]["mt"]["sentences"] == results[1]["st"]["sentences"] == 12
    assert set(results[0]["bleu_curve"]) == set(results[0]["nll_curve"]) == {"2", "4"}
    assert results[0]["signature"].startswith("mfcc|L0|k16|")
    assert results[0]["decoding"].keys() == {"checkpoint", "beam", "lenpen", "ctc-decode-weight"}
    best = max(entry["bleu"] for entry in results[0]["dev"])
    assert [e["bleu"] for e in results[0]["dev"] if e["setting"] == results[0]["decoding"]] == [best]
    assert str(tmp_path) not in (out / "results.jsonl").read_text(encoding="utf-8")
    assert results[0]["st_command"].startswith("fairseq-generate OUT/data/")
    command = results[1]["commands"]["train"]
    assert command.startswith("fairseq-train OUT/data/")
    assert "--streams st,mt" in command

    stamps = {cell: (out / "cells" / cell / "result.json").stat().st_mtime_ns for cell in ("default", "setting=st+mt")}
    (out / "cells" / "family=ctc").mkdir()  # as an interruption leaves it
    second = run_grid(path)
    assert second.returncode == 0, second.stderr[-3000:]
    assert stamps == {cell: (out / "cells" / cell / "result.json").stat().st_mtime_ns for cell in stamps}
    assert len((out / "results.jsonl").read_text(encoding="utf-8").splitlines()) == 3

    path.write_text(path.read_text().replace("--lr 0.001", "--lr 0.002"))
    changed = run_grid(path)
    assert changed.returncode == 1
    assert "was begun with other options than the grid has now" in changed.stderr
    path.write_text(path.read_text().replace("--lr 0.002", "--lr 0.001"))

    report = run_command(sys.executable, EXAMPLE / "report_experiments.py", path)
    assert report.returncode == 0, report.stderr[-3000:]
    rows = [line.split(" | ") for line in report.stdout.splitlines() if line.startswith("| st")]
    assert rows[0][2] == f"{results[0]['st']['bleu']:.1f}"
    assert rows[0][3:6] == ["", "", ""]
    gain = results[1]["st"]["bleu"] - results[0]["st"]["bleu"]
    assert rows[1][3] == f"{gain:+.1f}"
    assert 0 < float(rows[1][4]) <= 1
    assert rows[1][5] == ""  # there is one seed
    assert [row[8] for row in rows] == [f"{min(result['nll_curve'].values()):.2f}" for result in results]
    assert (out / "text-helps.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        ("st_ctc_loss 3.5 | st_transducer_loss 2.5 | st_nll 1.5", 1.5),
        ("mt_nll 0.5 | st_ctc_loss 3.5 | st_transducer_loss 2.5", 2.5),
        ("st_source_ctc_loss 4.5 | st_ctc_loss 3.5", 3.5),
        ("mt_nll 0.5", None),
    ],
)
def test_likelihood_is_that_of_the_head_that_decoding_follows(tmp_path, logged, expected):
    from experiment_cell import read_curves

    log = tmp_path / "train.log"
    log.write_text(f"epoch 001 | valid on 'valid' subset | {logged} | bleu 7.0 | num_updates 100\n")
    curves = read_curves(log, "st")
    assert curves == {"bleu_curve": {100: 7.0}, "nll_curve": {} if expected is None else {100: expected}}


def test_the_report_has_the_lowest_likelihood_and_the_mean_curve_of_the_seeds(tmp_path, monkeypatch):
    from experiment_curves import draw_curves
    from experiment_grid import read_grid
    from experiment_results import finished
    from matplotlib import pyplot
    from report_experiments import table

    text = GRID.replace(
        "families: {family: [ctc_attention, ctc], setting: st}", "families: {setting: st, seed: [1, 2]}"
    )
    grid = read_grid(write_grid(tmp_path, text))
    for name, low in {"default": 1.5, "seed=2": 2.5}.items():
        score = {"bleu": 10 * low, "chrf": 20 * low, "bp": 1.0}
        curves = {"bleu_curve": {"2": low, "4": 4 * low}, "nll_curve": {"2": low, "4": 3 * low}}
        (grid.out / "cells" / name).mkdir(parents=True)
        (grid.out / "cells" / name / "result.json").write_text(json.dumps({"st": score, **curves}))
    row = table(grid, "families")[-1].split(" | ")
    assert row[1:] == ["20.0 ± 7.1", *[""] * 3, "40.0 ± 14.1", "1.000 ± 0.000", "2.00 ± 0.71", *[""] * 3, " |"]

    monkeypatch.setattr(pyplot, "close", lambda figure: None)
    draw_curves(finished(grid, "families"), tmp_path / "picture.png")
    above, below = pyplot.gcf().axes
    assert above.get_lines()[0].get_xydata().tolist() == [[2, 2], [4, 8]]
    assert below.get_lines()[0].get_xydata().tolist() == [[2, 2], [4, 6]]


def test_gains_are_over_the_cell_that_is_compared_with(tmp_path):
    from experiment_grid import read_grid
    from report_experiments import find_baselines, gains

    grid = read_grid(write_grid(tmp_path))
    for name, scores in {"default": {"st": 10.0}, "setting=st+mt": {"st": 12.5, "mt": 60.0}, "family=ctc": {}}.items():
        folder = grid.out / "cells" / name
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps({stream: {"bleu": bleu} for stream, bleu in scores.items()}))
    baselines = find_baselines(grid, "text-helps")
    assert {name: cell.name for name, cell in baselines.items()} == {"setting=st+mt": "default"}
    assert gains(grid, baselines, "st") == {"setting=st+mt": 2.5}
    assert gains(grid, baselines, "mt") == {}
    assert find_baselines(grid, "families") == {}  # it names nothing to compare with


def test_cells_are_all_combinations_and_each_is_run_once(tmp_path):
    from experiment_grid import read_grid

    grid = read_grid(write_grid(tmp_path))
    assert [cell.name for cell in grid.cells] == ["default", "setting=st+mt", "family=ctc"]
    assert grid.cells[1].options == "--arch hmst_ctc_attention_tiny --streams st,mt --seed 1".split()
    assert grid.cells[1].settings["binarize.mt-text"] == f"[{tmp_path}/out/corpus/fr/external.tsv]"
    assert grid.cells[0].settings == grid.cells[2].settings


def test_results_on_degraded_recordings_are_of_stored_trainings():
    trained, degraded = (
        {line["cell"]: line for line in map(json.loads, (EXAMPLE / f"results/{name}.jsonl").read_text().splitlines())}
        for name in ("learning", "learning_degraded")
    )
    assert degraded
    for cell, found in degraded.items():
        assert found["bleu"]["test"] == trained[cell]["st"]["bleu"]


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


def test_units_and_texts_become_a_data_bin_of_speech_and_external_text(tmp_path):
    folder, out = tmp_path / "given", tmp_path / "corpus"
    folder.mkdir()
    texts = {"train": "one two three four", "dev": "five", "test": "six seven", "mt": "eight nine"}
    for split, words in texts.items():
        lines = [f"the word is {word}" for word in words.split()]
        (folder / f"{split}.en").write_text("\n".join(lines) + "\n")
        (folder / f"{split}.de").write_text(
            "\n".join(line.replace("the word is", "das Wort ist") for line in lines) + "\n"
        )
        if split != "mt":
            units = [f"{split}{row}\t{row} 3 {row} 4 5 6 7" for row in range(len(lines))]
            (folder / f"{split}.units").write_text("\n".join(units) + "\n")
    (folder / "train.tsv").write_text("id\tvoice\n" + "".join(f"train{row}\tslt{row}\n" for row in range(4)))
    options = ["--units", folder, "--target", "de", "--speech-rows", 3, "--out", out]
    assert run_command(sys.executable, EXAMPLE / "corpora/help_pages.py", *options).returncode == 0
    external = (out / "external.tsv").read_text().splitlines()
    assert [line.split("\t")[0].split()[-1] for line in external[1:]] == ["four", "eight", "nine"]
    settings = {"subwords.unit-vocab": 8, "subwords.source-vocab": 17, "subwords.target-vocab": 16}
    settings["binarize.mt-text"] = f"[{out}/external.tsv]"
    made = run_command(
        *(sys.executable, "-m", "preprocess", "run", out / "recipe.yaml"),
        *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
    )
    assert made.returncode == 0, made.stderr[-3000:]
    counts = json.loads((out / "data/data-bin/card.json").read_text())["counts"]
    assert [counts["train"][stream]["examples"] for stream in ("st", "mt")] == [3, 6]
    assert [row.speaker for row in read_manifest(out / "manifest/train.tsv", check_audio=False)] == [
        "slt0",
        "slt1",
        "slt2",
    ]
    assert [row.speaker for row in read_manifest(out / "manifest/dev.tsv", check_audio=False)] == [""]


def test_a_table_of_voices_that_lacks_a_row_is_refused(tmp_path):
    for split, rows in {"train": 2, "dev": 1, "test": 1}.items():
        for name in (f"{split}.en", f"{split}.de", f"{split}.units"):
            (tmp_path / name).write_text(f"{split}0\t1 2\n" * rows)
    (tmp_path / "train.tsv").write_text("id\tvoice\ntrain0\tslt\n")
    result = run_command(
        sys.executable, EXAMPLE / "corpora/help_pages.py", "--units", tmp_path, "--out", tmp_path / "out"
    )
    assert result.returncode == 1
    assert "train.tsv has 1 rows, train.units has 2" in result.stderr


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


def test_units_that_keep_repetitions_have_one_token_a_frame():
    from units_with_repetitions import alternate

    units = np.array([7, 7, 7, 3, 3, 7, 0])
    found = alternate(units, 10)
    assert found.tolist() == [7, 17, 7, 3, 13, 7, 0]
    assert (found % 10).tolist() == units.tolist()


def test_the_corpus_without_deduplication_has_the_units_of_the_recipe_before_it(tmp_path):
    from preprocess.files.units import deduplicate, read_units

    sizes = ["--train", 60, "--text", 80, "--dev", 12, "--test", 12]
    corpus = run_command("bash", EXAMPLE / "corpora/announcements.sh", tmp_path / "corpus", *sizes)
    assert corpus.returncode == 0, corpus.stderr[-3000:]
    settings = [f"--set=manifest.root={tmp_path}/corpus/fr", "--set=subwords.unit-vocab=100"]
    settings += ["--set=subwords.source-vocab=80", "--set=subwords.target-vocab=80"]
    recipe = EXAMPLE / "corpora/announcements_recipe.yaml"
    made = run_command(sys.executable, "-m", "preprocess", "run", recipe, "--out", tmp_path / "data", *settings)
    assert made.returncode == 0, made.stderr[-3000:]
    for split in ("train", "dev", "test"):
        expected = dict(read_units(tmp_path / f"data/units/{split}.units"))
        kept = read_units(tmp_path / f"corpus/repetitions/{split}.units")
        found = {name: np.array(units) % 64 for name, units in kept}
        assert {name: deduplicate(units)[0].tolist() for name, units in found.items()} == expected
        assert sum(map(len, found.values())) > sum(map(len, expected.values()))
