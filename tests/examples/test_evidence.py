"""The evidence example: a small grid to its report, and what becomes of an interrupted one."""

import json
import sys
from pathlib import Path

import pytest
from evidence_grid import EXAMPLE, GRID, example_on_path, write_grid  # noqa: F401
from toy import run_command


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
