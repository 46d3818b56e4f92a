"""The example of text models: its script from tiny ones to scores, and its count of parameters."""

import runpy
import sys

import pytest
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


@pytest.mark.parametrize("kind", ["nllb", "m2m", "mbart-cc25"])
def test_other_tiny_models_can_be_started_from(toy_data_bin, tmp_path, monkeypatch, kind):
    manifest, folder = toy_data_bin.parent / "manifest" / "train.tsv", tmp_path / "model"
    options = ["--kind", kind, "--manifest", str(manifest), "--out", str(folder)]
    monkeypatch.setattr(sys, "argv", ["make_tiny.py", *options])
    monkeypatch.syspath_prepend(str(EXAMPLE))
    runpy.run_path(str(EXAMPLE / "make_tiny.py"), run_name="__main__")
    data_bin = make_toy_data_bin(tmp_path, text_model=folder)
    assert main(["--from", str(folder), "--data", str(data_bin), "--out", str(tmp_path / "start.pt")]) == 0


def test_parameters_are_those_of_the_readme_and_of_the_published_models(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["parameters.py"])
    runpy.run_path(str(EXAMPLE / "parameters.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert printed in (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert "| facebook/nllb-200-distilled-600M | 615,073,792 |" in printed
