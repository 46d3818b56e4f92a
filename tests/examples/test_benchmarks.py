"""All parts of the GPU benchmark, run once at toy size on the CPU by `gpu.sh --small`."""

import importlib
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml
from toy import REPOSITORY, run_command

BENCHMARKS = REPOSITORY / "examples" / "benchmarks"

Figures = dict[str, dict[str, float]]  # part -> name -> value


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("benchmarks")


@pytest.fixture(scope="module")
def finished(out) -> CompletedProcess:
    # nothing is missing, so no wheel is looked for
    values = {"PYTHON": sys.executable, "WHEELS": str(out), "OUT": str(out), "UNITS": ""}
    return run_command("bash", BENCHMARKS / "gpu.sh", "--small", **values)


@pytest.fixture(scope="module")
def figures(finished, out) -> Figures:
    assert finished.returncode == 0, finished.stdout + (out / "log.txt").read_text()[-3000:]
    found: Figures = defaultdict(dict)
    for result in map(json.loads, (out / "results.jsonl").read_text().splitlines()):
        if "value" in result:
            found[result["part"]][result["name"]] = result["value"]
    return found


def test_the_small_parts_are_those_that_a_gpu_runs():
    parts, small = (yaml.safe_load((BENCHMARKS / name).read_text()) for name in ("gpu.yaml", "gpu_small.yaml"))
    assert list(parts) == list(small)
    scripts = [re.findall(r"python (\S+)", str(kind.values())) for kind in (parts, small)]
    assert set(scripts[0]) == set(scripts[1])


def test_each_figure_names_device_versions_and_a_command(figures, out):
    results = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    measured = [result for result in results if "value" in result]
    assert all(result["device"] and result["versions"]["torch"] for result in measured)
    assert all(f"benchmarks/{result['part']}.py" in result["command"] for result in measured)
    assert [result["error"] for result in results if "error" in result] == ["not run: UNITS is not set"]


def test_the_table_has_a_row_for_each_figure(figures, finished, out):
    table = (out / "table.md").read_text()
    assert table in finished.stdout
    for part, named in figures.items():
        for name, value in named.items():
            assert f"| {part} | {name} | {value:.5g} |" in table


def test_all_losses_find_the_same_in_plausible_memory(figures, out):
    losses = re.findall(r"^(?:torchaudio|(?:fused_)?rnnt_loss) +\S+ +\S+ +(\S+)", (out / "log.txt").read_text(), re.M)
    assert len(losses) == 3 and len(set(losses)) == 1
    for name, value in figures["rnnt_loss"].items():
        assert 0 <= value < 60, name  # seconds, megabytes


def test_decoding_finds_the_same_in_batches_and_one_by_one(figures):
    joint = figures["joint_decoding"]
    assert joint.pop("joint: best hypotheses that differ between batched and one by one") == 0
    assert list(joint) == ["attention, batched", "joint, batched", "joint, one by one"]
    equal = {name: value for name, value in figures["rnnt_decoding"].items() if name.endswith("batches and one by one")}
    assert list(equal.values()) == [2, 2]


def test_units_of_the_plain_way_and_ours_are_equal(figures):
    equal = {name: value for name, value in figures["units"].items() if name.endswith("units equal")}
    assert len(equal) == 4
    assert equal["preprocess, float32: units equal"] == 100
    assert all(value > 90 for value in equal.values())


def test_training_is_measured_beside_fairseqs_transformer_of_the_same_size(figures, out):
    training = figures["training"]
    ours, fairseqs = "hmst_aed_tiny", "transformer like hmst_aed_tiny"
    assert training[f"{ours}: parameters"] == training[f"{fairseqs}: parameters"]
    assert all(training[f"{name}: source tokens a second"] > 0 for name in (ours, fairseqs))
    assert re.search(rf"target tokens a second, {ours} / {fairseqs}: \d\.\d+", (out / "log.txt").read_text())


def test_kmeans_of_ours_and_the_fields_recipe_have_nearly_the_same_inertia(figures):
    ours, fields = (value for name, value in figures["kmeans"].items() if name.endswith("inertia a frame"))
    assert 0.9 < ours / fields < 1.05


def test_a_model_that_fails_is_named_and_the_others_are_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.delitem(sys.modules, "training", raising=False)  # that of the tests
    training = importlib.import_module("training")
    monkeypatch.delitem(sys.modules, "training")
    names = "seconds core_seconds source_tokens target_tokens bytes parameters".split()

    def measure(command: list[str], *_: object) -> dict[str, float] | str:
        return "out of memory" if "hmst_ctc_base" in command else dict.fromkeys(names, 2e6)

    monkeypatch.setattr(training, "measure", measure)
    options = ["--arch", "hmst_ctc_base", "hmst_aed_base", "--alone", "--results", str(tmp_path / "results.jsonl")]
    monkeypatch.setattr(sys, "argv", ["training.py", "--data", "unread", *options])
    with pytest.raises(SystemExit, match="hmst_ctc_base: out of memory"):
        training.main()
    assert "| hmst_aed_base | 1 | 1 | 2e+06 | 2e+06 | 2 | 2 |" in capsys.readouterr().out
    results = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [result["name"] for result in results if "error" in result] == ["hmst_ctc_base"]
    assert sum("value" in result for result in results) == 6
