"""The example of text models: its script from tiny ones to scores, and its count of parameters."""

import re
import runpy
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from toy import NUM_UNITS, REPOSITORY, make_toy_data_bin, run_command

from fairseq_hmst.text_start.command import main

EXAMPLE = REPOSITORY / "examples" / "text_start"


def test_the_script_goes_from_an_opus_mt_made_here_to_a_score(toy_data_bin, tmp_path):
    settings = {"CORPUS": str(toy_data_bin.parent), "UNIT_VOCAB": str(NUM_UNITS + 5), "UPDATES": "2"}
    settings |= {"OUT": str(tmp_path), "PRECISION": "--cpu", "TINY": "opus", "ARCH": "hmst_ctc_attention"}
    result = run_command("bash", EXAMPLE / "run.sh", **settings, FINETUNE="units")
    assert result.returncode == 0, result.stderr[-3000:]
    assert "Generate test with beam=5: BLEU = " in result.stdout
    assert "--finetune units trains" in result.stdout + result.stderr


def run_script(monkeypatch, name: str, *options: object) -> None:
    """Run a script of the example in this process."""
    monkeypatch.setattr(sys, "argv", [name, *map(str, options)])
    monkeypatch.syspath_prepend(str(EXAMPLE))
    runpy.run_path(str(EXAMPLE / name), run_name="__main__")


def make_tiny(monkeypatch, kind: str, toy_data_bin: Path, folder: Path) -> None:
    manifest = toy_data_bin.parent / "manifest" / "train.tsv"
    sizes = ["--width", 32, "--encoder-layers", 1, "--decoder-layers", 2]
    run_script(monkeypatch, "make_tiny.py", "--kind", kind, "--manifest", manifest, *sizes, "--out", folder)


@pytest.mark.parametrize("kind", ["opus", "m2m"])
def test_a_tiny_model_learns_to_translate(toy_data_bin, tmp_path, monkeypatch, kind):
    folder = tmp_path / "model"
    make_tiny(monkeypatch, kind, toy_data_bin, folder)
    before = load_file(folder / "model.safetensors")
    options = ["--manifest-dir", toy_data_bin.parent / "manifest", "--updates", 250, "--max-tokens", 300, "--lr", 0.003]
    run_script(monkeypatch, "pretrain.py", "--model", folder, *options)
    assert load_file(folder / "model.safetensors").keys() == before.keys()
    score = re.match(r"BLEU = ([\d.]+) ", (folder / "score.txt").read_text(encoding="utf-8"))
    assert float(score[1]) > 2  # at random it has none


@pytest.mark.parametrize("kind", ["nllb", "m2m", "mbart-cc25"])
def test_other_tiny_models_can_be_started_from(toy_data_bin, tmp_path, monkeypatch, kind):
    folder = tmp_path / "model"
    make_tiny(monkeypatch, kind, toy_data_bin, folder)
    data_bin = make_toy_data_bin(tmp_path, text_model=folder)
    assert main(["--from", str(folder), "--data", str(data_bin), "--out", str(tmp_path / "start.pt")]) == 0


def test_parameters_are_those_of_the_readme_and_of_the_published_models(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["parameters.py"])
    runpy.run_path(str(EXAMPLE / "parameters.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert printed in (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert "| facebook/nllb-200-distilled-600M | 615,073,792 |" in printed
