"""fairseq's command lines with this package, each in a process of its own as users call them."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from toy import REPOSITORY, WORDS, run_command
from training import PACKAGE, generate, train


@pytest.fixture(scope="module")
def trained(toy_data_bin, tmp_path_factory) -> Path:
    """Checkpoints of a short training with BLEU."""
    folder = tmp_path_factory.mktemp("trained")
    train(toy_data_bin, folder, "--max-update", 12, "--save-interval-updates", 6, "--eval-bleu", "--log-interval", 2)
    return folder


def test_every_sentence_of_the_test_set_is_decoded_to_plain_text(toy_data_bin, trained):
    lines = generate(toy_data_bin, trained / "checkpoint_last.pt")
    references = [line.split("\t")[1] for line in lines if line.startswith("T-")]
    assert len(references) == 21
    assert set(" ".join(references).split()) <= set(WORDS.values())
    assert not any("▁" in line for line in lines if line[0] in "DT")


def test_a_checkpoint_decodes_the_same_by_path_by_symlink_and_installed(toy_data_bin, trained, tmp_path):
    expected = generate(toy_data_bin, trained / "checkpoint_last.pt")
    link = tmp_path / "elsewhere" / "fairseq_hmst"
    link.parent.mkdir()
    link.symlink_to(PACKAGE)
    assert generate(toy_data_bin, trained / "checkpoint_last.pt", user_dir=link, cwd=tmp_path) == expected
    installed = tmp_path / "site-packages" / "fairseq_hmst"
    shutil.copytree(PACKAGE, installed, ignore=shutil.ignore_patterns("__pycache__"))
    found = generate(
        *(toy_data_bin, trained / "checkpoint_last.pt"),
        user_dir=installed,
        cwd=tmp_path,
        PYTHONPATH=str(installed.parent),
    )
    assert found == expected


REACHED = """
import os
from argparse import Namespace
from fairseq import utils, tasks, criterions, models
for user_dir in {user_dirs!r}:
    if os.fork():
        os.wait()
        continue
    utils.import_user_module(Namespace(user_dir=user_dir))
    print(user_dir, *(name in registry for name, registry in (
        ("hmst_translation", tasks.TASK_REGISTRY), ("hmst_joint", criterions.CRITERION_REGISTRY),
        ("hmst_transducer_tiny", models.ARCH_MODEL_REGISTRY),
    )), flush=True)
    os._exit(0)
"""


def test_user_dir_registers_the_plugin_in_every_spelling(tmp_path: Path):
    link = tmp_path / "plugin_link"
    link.symlink_to(PACKAGE)
    printed = run_command("hmst", "user-dir").stdout.strip()
    user_dirs = [f"{PACKAGE}/", "./fairseq_hmst", f"../{PACKAGE.parent.name}/fairseq_hmst/", str(link), printed]
    run = run_command("python", "-c", REACHED.format(user_dirs=user_dirs))
    assert run.stdout.splitlines() == [f"{user_dir} True True True" for user_dir in user_dirs], run.stderr[-2000:]


def test_ensembles_and_averages_of_equal_checkpoints_change_nothing(toy_data_bin, trained, tmp_path):
    last = trained / "checkpoint_last.pt"
    expected = [line for line in generate(toy_data_bin, last) if line[0] == "D"]
    as_text = [re.sub(r"\t\S+\t", "\t", line) for line in expected]
    ensemble = generate(toy_data_bin, f"{last}:{last}")
    assert [re.sub(r"\t\S+\t", "\t", line) for line in ensemble if line[0] == "D"] == as_text
    average = tmp_path / "average.pt"
    command = ("hmst", "average", "--out", average, "--model")
    assert run_command(*command, last, last).returncode == 0
    assert [line for line in generate(toy_data_bin, average) if line[0] == "D"] == expected
    other = trained / "checkpoint_1_6.pt"
    assert run_command(*command, last, other).returncode == 0
    weights = [torch.load(path, weights_only=True)["model"] for path in (last, other, average)]
    for name in weights[0]:
        torch.testing.assert_close(weights[2][name], (weights[0][name] + weights[1][name]) / 2)


def test_interactive_translates_lines_of_units_and_lines_of_text(toy_data_bin, trained):
    common = ("--path", trained / "checkpoint_last.pt", "--user-dir", PACKAGE, "--task", "hmst_translation", "--cpu")
    for stream, line in (("st", " ".join(map(str, range(9)))), ("mt", "red")):
        source = trained / f"input.{stream}"
        source.write_text(line + "\n")
        result = run_command("fairseq-interactive", toy_data_bin, *common, "--eval-stream", stream, "--input", source)
        assert result.returncode == 0, result.stderr[-3000:]
        (hypothesis,) = (row for row in result.stdout.splitlines() if row.startswith("D-0"))
        assert "▁" not in hypothesis


def test_a_decoding_without_a_head_is_refused_in_words(toy_data_bin, trained):
    result = run_command(
        *("fairseq-generate", toy_data_bin, "--user-dir", PACKAGE, "--task", "hmst_translation", "--cpu"),
        *("--path", trained / "checkpoint_last.pt", "--decoding", "joint"),
    )
    assert "decoding joint: the model has no head for it; it can decode by: attention" in result.stderr


def test_hydra_trains_from_the_examples_yaml_an_architecture_of_its_name(toy_data_bin, tmp_path):
    overrides = [f"task.data={toy_data_bin}", f"checkpoint.save_dir={tmp_path}", "optimization.max_update=1"]
    overrides += ["model._name=hmst_ctc_attention_tiny", "+model.encoder_layers=2", "dataset.max_tokens=500"]
    folder = REPOSITORY / "examples" / "prompts"
    command = ("fairseq-hydra-train", "--config-dir", folder, "--config-name", "training")
    result = run_command(*command, f"common.user_dir={PACKAGE}", *overrides, f"hydra.run.dir={tmp_path}")
    assert result.returncode == 0, result.stderr[-3000:]
    weights = torch.load(tmp_path / "checkpoint_last.pt", weights_only=False)["model"]
    assert len(weights["encoder.layers.1.fc1.bias"]) == 512
    assert "encoder.layers.2.fc1.bias" not in weights  # the option wins
    assert any(name.startswith("source_ctc_head") for name in weights)
