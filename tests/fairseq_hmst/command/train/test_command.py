"""The subcommand as a user calls it: a training, one that cannot begin, and the help of all options."""

import json
import shlex
import subprocess

import pytest
from training import SIZES

from fairseq_hmst.command.train.command import FAMILIES, main, make_parser
from fairseq_hmst.command.train.command import SIZES as SIZE_NAMES
from fairseq_hmst.command.train.fairseq_options import process_command

TINY = ["--max-tokens", "2000", *SIZES, "--optimizer", "adam", "--cpu", "--num-workers", "0"]


def test_a_training_is_shown_and_logged_without_warnings(toy_data_bin, tmp_path, capfd):
    options = [str(toy_data_bin), "--arch", "hmst_ctc_attention_tiny", "--source-ctc-layer", "1", *TINY]
    options += ["--max-update", "2", "--eval-bleu", "--log-interval", "1", "--save-dir", str(tmp_path)]
    assert main([*options, "--log-format", "json"]) == 0
    output, errors = capfd.readouterr()
    assert errors == ""
    events = [json.loads(line) for line in output.splitlines()]
    assert [event["event"] for event in events] == (
        ["command", "start", "update", "update", "samples", "validation", "saved", "end"]
    )
    command, start, first, second, samples, validation, _, end = events
    assert shlex.split(command["command"])[: len(options) + 1] == ["fairseq-train", *options]
    assert start["examples"]["train"] == {"st": 300, "mt": 257}
    assert (first["num_updates"], second["num_updates"]) == (1, 2)
    assert first["seconds_left"] is None
    assert second["seconds_left"] == 0
    assert second["memory_gb"] > 0.1
    assert len(samples["samples"]) == 3
    assert {"bleu", "bleu_bp", "chrf", "mt_bleu", "mt_chrf", "st_source_wer", "mt_source_wer"} <= set(validation)
    assert end["best_checkpoint"] == str(tmp_path / "checkpoint_best.pt")
    assert end["best_scores"]["bleu"] == validation["bleu"]
    log = (tmp_path / "train.log").read_text(encoding="utf-8")
    assert "done training" in log
    assert "Warning" not in log


def test_a_training_does_not_warn_of_lines_that_it_compiles_anew():
    command = process_command([])
    python = command[: command.index("-m")]
    run = subprocess.run([*python, "-c", 'print("" is not "")'], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("False\n", "")


def test_a_training_that_fails_says_why(toy_data_bin, tmp_path, capfd):
    options = [str(toy_data_bin), "--arch", "hmst_aed_tiny", *TINY, "--mt-weight", "-1", "--save-dir", str(tmp_path)]
    assert main(options) == 1
    output = capfd.readouterr().out
    assert "error: --mt-weight must be 0 or more and finite, got -1.0\n" in output
    assert f"full log: {tmp_path / 'train.log'}\n" in output
    assert "Traceback" not in output
    assert "Traceback" in (tmp_path / "train.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(("option", "module"), [("--tensorboard-logdir", "tensorboard"), ("--wandb-project", "wandb")])
def test_what_is_not_installed_is_said_before_the_training(option, module, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["data", option, "x", "--save-dir", str(tmp_path / "new")]) == 1
    assert f"pip install 'fairseq_hmst[{module}]'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_the_short_help_names_every_family_and_size():
    import fairseq_hmst.plugin  # noqa: F401
    from fairseq_hmst.models.architectures import SIZES as REGISTERED

    assert list(FAMILIES) == list(REGISTERED)
    assert {f"_{size}" for sizes in REGISTERED.values() for size in sizes} == set(SIZE_NAMES)
    assert "hmst_transducer" in make_parser().format_help()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_help_of_an_architecture_lists_its_options_with_its_defaults(family, capsys):
    assert main(["--arch", f"{family}_tiny", "--optimizer", "adam", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for option in ("--encoder-layers", "--eval-bleu", "--label-smoothing", "--adam-betas", "--max-update"):
        assert f" {option} " in text
    assert "width of embeddings and of every layer (default: 128)" in text
    assert (" --decoder-layers " in text) == (family in ("hmst_aed", "hmst_ctc_attention"))


def test_the_help_of_an_unknown_architecture_names_those_there_are(capsys):
    assert main(["--arch", "hmst_nothing", "--help"]) == 1
    assert "--arch hmst_nothing: there is none of this name; one of hmst_aed, hmst_aed_b" in capsys.readouterr().err
