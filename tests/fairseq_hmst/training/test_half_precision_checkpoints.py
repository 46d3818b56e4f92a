"""What is made of checkpoints of a training in bfloat16: decodings in each precision, averages, a model folder."""

import contextlib
import io
from pathlib import Path

import pytest
import torch
from prompt_models import PROMPTS, generate_here, random_checkpoint, train_here

from fairseq_hmst.average import average_checkpoints
from fairseq_hmst.export import export
from fairseq_hmst.tasks.hmst_translation import HmstTranslationTask
from fairseq_hmst.translate import Translator

DTYPES = {"--fp16": torch.float16, "--bf16": torch.bfloat16}
# Difference of the score of a hypothesis, in nats; found: 0.0003 in float16 and 0.005 in bfloat16.
TOLERANCE = {"--fp16": 0.002, "--bf16": 0.03}
SHORT = ("--beam", 2, "--max-len-a", 0, "--max-len-b", 6)


@pytest.fixture(scope="module")
def checkpoints(prompt_data_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two of one training, as an older version wrote them, for which --bf16 was --tpu as well."""
    folder = tmp_path_factory.mktemp("bfloat16")
    options = ("--bf16", "--store-ema", "--ema-fp32", "--ema-decay", 0.5, "--save-interval-updates", 2)
    last = train_here(prompt_data_bin, folder, "hmst_ctc_attention", 4, *options)
    paths = [folder / "checkpoint_1_2.pt", last]
    for path in paths:
        content = torch.load(path, weights_only=False)
        for part in ("common", "distributed_training", "optimizer"):
            content["cfg"][part]["tpu"] = True
        torch.save(content, path)
    return paths


@pytest.fixture
def dtypes_of_models(monkeypatch) -> set[torch.dtype]:
    """The types of number of all models that decode."""
    found: set[torch.dtype] = set()
    build = HmstTranslationTask.build_generator

    def build_generator(task, models, *arguments, **options):
        found.update(parameter.dtype for model in models for parameter in model.parameters())
        return build(task, models, *arguments, **options)

    monkeypatch.setattr(HmstTranslationTask, "build_generator", build_generator)
    return found


@pytest.mark.parametrize("family", ["hmst_ctc_attention", "hmst_transducer"])
@pytest.mark.parametrize("option", DTYPES)
def test_it_decodes_in_the_precision_that_is_asked_for(
    family, option, checkpoints, prompt_data_bin, tmp_path, dtypes_of_models
):
    path = checkpoints[1]
    if family == "hmst_transducer":
        path = random_checkpoint(tmp_path / "random.pt", prompt_data_bin, family)
    expected = generate_here(prompt_data_bin, path, *SHORT)
    assert dtypes_of_models == {torch.float32}
    dtypes_of_models.clear()
    found = generate_here(prompt_data_bin, path, *SHORT, option)
    assert dtypes_of_models == {DTYPES[option]}
    best = [(one[0], other[0]) for one, other in zip(found, expected, strict=True)]
    alike = [(one[1], other[1]) for one, other in best if one[0] == other[0]]
    assert len(alike) >= len(best) / 2  # the others have hypotheses of nearly equal scores
    for score, other in alike:
        assert score == pytest.approx(other, abs=TOLERANCE[option])


def test_averages_are_of_the_float32_numbers_in_the_files(checkpoints):
    contents = [torch.load(path, weights_only=False) for path in checkpoints]
    averages = [content["extra_state"]["ema_fp32_params"] for content in contents]
    assert any(not torch.equal(weight, weight.bfloat16().float()) for weight in averages[1].values())
    for ema, weights in ((False, [content["model"] for content in contents]), (True, averages)):
        found = average_checkpoints(checkpoints, ema=ema)["model"]
        for name, first in weights[0].items():
            torch.testing.assert_close(found[name], (first + weights[1][name]) / 2)


def test_a_model_folder_translates_as_the_checkpoint_does(checkpoints, prompt_data_bin, tmp_path):
    export([[checkpoints[1]]], prompt_data_bin, tmp_path / "model")
    expected = [nbest[0][0] for nbest in generate_here(prompt_data_bin, checkpoints[1], "--decoding", "ctc")]
    translator = Translator.from_pretrained(tmp_path / "model", decoding="ctc")
    weights = torch.load(checkpoints[1], weights_only=False)["model"]
    (model,) = translator.models
    assert all(torch.equal(model.state_dict()[name], weight) for name, weight in weights.items())
    assert [translation.text for translation in translator.translate(PROMPTS)] == expected
    half = Translator.from_pretrained(tmp_path / "model", decoding="ctc", dtype="bfloat16")
    assert half.translate(PROMPTS)[0].score == pytest.approx(translator.translate(PROMPTS)[0].score, rel=0.1)


COMMANDS = {
    "fairseq-generate": ("generate", "--gen-subset test --max-tokens 700 --max-len-b 5"),
    "fairseq-interactive": ("interactive", "--eval-stream mt --max-len-b 5"),
    "fairseq-validate": ("validate", "--valid-subset valid --max-tokens 700"),
    "hmst generate": (None, "--split test --stream st --max-len-b 5"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_take_bfloat16_and_a_checkpoint_that_was_trained_with_it(
    command, checkpoints, prompt_data_bin, tmp_path, monkeypatch, dtypes_of_models
):
    module, given = COMMANDS[command]
    words = [str(prompt_data_bin), "--task", "hmst_translation", "--path", str(checkpoints[1]), *given.split()]
    words += ["--bf16", "--cpu", "--num-workers", "0", "--no-progress-bar"]
    if module == "interactive":
        (tmp_path / "lines.txt").write_text("one moment please\n")
        words += ["--input", str(tmp_path / "lines.txt")]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if module is None:
            from fairseq_hmst.command.generate import main

            paths = ["--data", str(prompt_data_bin), "--model", str(checkpoints[1]), "--out", str(tmp_path)]
            assert main([*paths, *given.split(), "--bf16", "--cpu", "--num-workers", "0"]) == 0
        else:
            monkeypatch.setattr("sys.argv", [command, *words])
            __import__(f"fairseq_cli.{module}", fromlist=[module]).cli_main()
    assert dtypes_of_models == (set() if module == "validate" else {torch.bfloat16})


def test_a_training_goes_on_from_a_checkpoint_that_asks_for_a_tpu(checkpoints, prompt_data_bin, tmp_path):
    options = ("--bf16", "--restore-file", checkpoints[1])
    last = train_here(prompt_data_bin, tmp_path, "hmst_ctc_attention", 5, *options)
    content = torch.load(last, weights_only=False)
    assert content["optimizer_history"][-1]["num_updates"] == 5
    assert not content["cfg"]["common"]["tpu"]
