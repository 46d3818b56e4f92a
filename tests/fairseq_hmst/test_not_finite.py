"""Models with NaN: refused where weights are read or written, and a clear error in every search."""

import math
from pathlib import Path

import pytest
import torch
from fairseq import checkpoint_utils
from prompt_models import PROMPTS, SIZES, generate_here, random_checkpoint, run_translate
from toy import batch_of, build_criterion, build_model, build_task

from fairseq_hmst import average
from fairseq_hmst.checkpoints import weights
from fairseq_hmst.demo.answers import Choices, PageError, translate_text
from fairseq_hmst.export import export
from fairseq_hmst.model_folder.errors import ModelFolderError
from fairseq_hmst.model_folder.folder import read_weights, write_weights
from fairseq_hmst.models.hmst_model import HmstModel
from fairseq_hmst.models.transducer import TransducerModel
from fairseq_hmst.translate import TranslationError, Translator
from preprocess.errors import NotFiniteError

BIGGEST = 3e38  # finite in float32, but nothing that is computed from it is
LAST_NORM = "encoder.layer_norm.weight"


def change_weights(source: Path, path: Path, value: float, name: str = LAST_NORM) -> Path:
    content = torch.load(source, weights_only=False)
    content["model"][name].fill_(value)
    torch.save(content, path)
    return path


@pytest.fixture(scope="module")
def checkpoints(prompt_data_bin, tmp_path_factory) -> dict[str, Path]:
    """By family, with finite weights whose outputs are not."""
    folder = tmp_path_factory.mktemp("overflowing")
    families = ("hmst_aed", "hmst_ctc", "hmst_ctc_attention", "hmst_transducer")
    found = {name: random_checkpoint(folder / f"{name}.pt", prompt_data_bin, name) for name in families}
    return {name: change_weights(path, path, BIGGEST) for name, path in found.items()}


@pytest.fixture(scope="module")
def lost(checkpoints, tmp_path_factory) -> Path:
    """A checkpoint with weights that are NaN."""
    return change_weights(checkpoints["hmst_ctc"], tmp_path_factory.mktemp("lost") / "lost.pt", math.nan)


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("hmst_ctc", "--beam 1"),
        ("hmst_ctc", "--beam 3"),
        ("hmst_transducer", "--beam 1"),
        ("hmst_transducer", "--beam 3"),
        ("hmst_aed", "--beam 3"),
        ("hmst_aed", "--beam 1 --print-alignment"),
        ("hmst_ctc_attention", "--beam 2 --decoding joint"),
    ],
)
def test_every_search_names_the_checkpoint_and_the_utterance(checkpoints, prompt_data_bin, family, options):
    with pytest.raises(NotFiniteError, match="the model's probabilities are NaN or infinite") as caught:
        generate_here(prompt_data_bin, checkpoints[family], *options.split())
    path, utterance = caught.value.places
    assert path == str(checkpoints[family])
    assert utterance.removeprefix("test.st ").strip("'") in {prompt.stem for prompt in PROMPTS}


@pytest.mark.parametrize(
    ("family", "value"), [("hmst_ctc", math.nan), ("hmst_ctc", math.inf), ("hmst_transducer", math.nan)]
)
def test_the_one_utterance_of_a_batch_is_named(prompt_data_bin, tmp_path, monkeypatch, family, value):
    whole = random_checkpoint(tmp_path / "whole.pt", prompt_data_bin, family)
    owner, name = (TransducerModel, "project_encoder") if family == "hmst_transducer" else (HmstModel, "ctc_log_probs")
    compute, encode = getattr(owner, name), owner.encode
    sources = build_task(prompt_data_bin)
    sources.load_dataset("test")
    wanted = sources.dataset("test")[3]["source"]
    state = {}

    def remember(self, src_tokens, src_lengths, **options):
        state["bad"] = [torch.equal(row[: len(wanted)], wanted) for row in src_tokens]
        return encode(self, src_tokens, src_lengths, **options)

    def poison(self, encoder_out):
        values, lengths = compute(self, encoder_out)
        values[torch.tensor(state["bad"]), 0, 5] = value
        return values, lengths

    monkeypatch.setattr(owner, "encode", remember)
    monkeypatch.setattr(owner, name, poison)
    with pytest.raises(NotFiniteError) as caught:
        generate_here(prompt_data_bin, whole)
    assert caught.value.places == (str(whole), f"test.st '{PROMPTS[3].stem}'")


def test_padding_frames_may_be_anything(prompt_data_bin, tmp_path, monkeypatch):
    whole = random_checkpoint(tmp_path / "whole.pt", prompt_data_bin)
    expected, compute = generate_here(prompt_data_bin, whole), HmstModel.ctc_log_probs

    def poison(self, encoder_out):
        log_probs, lengths = compute(self, encoder_out)
        is_padding = torch.arange(log_probs.size(1)) >= lengths.unsqueeze(1)
        return log_probs.masked_fill(is_padding.unsqueeze(2), math.nan), lengths

    monkeypatch.setattr(HmstModel, "ctc_log_probs", poison)
    assert generate_here(prompt_data_bin, whole) == expected


def test_checkpoints_with_nan_are_not_read(lost, checkpoints, prompt_data_bin, tmp_path, capsys):
    message = f"{lost}: {LAST_NORM} holds NaN or infinite values; its training went wrong"
    with pytest.raises(NotFiniteError) as caught:
        generate_here(prompt_data_bin, lost)
    assert str(caught.value).startswith(message)
    out = tmp_path / "out"
    assert average.main(["--model", str(checkpoints["hmst_ctc"]), str(lost), "--out", str(out)]) == 1
    assert message in capsys.readouterr().err
    with pytest.raises(NotFiniteError, match="holds NaN"):
        export([[lost]], prompt_data_bin, out)
    assert not out.exists()


def test_weights_with_nan_are_not_written_and_the_former_file_stays(tmp_path):
    path = tmp_path / "checkpoint_last.pt"
    checkpoint_utils.torch_persistent_save({"model": {"w": torch.ones(2)}}, str(path))
    before = path.read_bytes()
    bad = {"model": {"w": torch.tensor([1.0, torch.nan])}}
    with pytest.raises(NotFiniteError, match=r"checkpoint_last.pt: w holds NaN or infinite values; .*lower --lr"):
        checkpoint_utils.torch_persistent_save(bad, str(path))
    assert path.read_bytes() == before
    checkpoint_utils.torch_persistent_save(bad, str(tmp_path / weights.CRASH_NAME))
    layer = torch.nn.Linear(2, 2)
    layer.bias.data[0] = torch.inf
    with pytest.raises(NotFiniteError, match="bias holds NaN or infinite values"):
        write_weights(layer, tmp_path / "model.safetensors")
    assert not (tmp_path / "model.safetensors").exists()


def test_a_model_folder_with_nan_is_not_read(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2), "b": torch.tensor([torch.nan])}, tmp_path / "model.safetensors")
    with pytest.raises(ModelFolderError, match=r"model.safetensors: b holds NaN or infinite values"):
        read_weights(tmp_path / "model.safetensors")


@pytest.fixture(scope="module")
def overflowing(checkpoints, prompt_data_bin, tmp_path_factory) -> Path:
    """A model folder with finite weights whose outputs are not."""
    folder = tmp_path_factory.mktemp("overflowing") / "model"
    export([[checkpoints["hmst_ctc"]]], prompt_data_bin, folder)
    return folder


def test_translating_names_the_model_folder_and_the_recording(overflowing, capsys):
    status, out, error = run_translate(capsys, overflowing, PROMPTS[0])
    assert (status, out) == (1, "")
    assert error.startswith(f"error: {PROMPTS[0]}: ")
    assert f"{overflowing}: the model's probabilities are NaN or infinite" in error
    translator = Translator.from_pretrained(overflowing)
    with pytest.raises(TranslationError, match="NaN or infinite"):
        translator.translate_text(["red", "blue"])
    skipped = translator.translate_text(["red", ""], skip_faults=True)
    assert [found.fault is None for found in skipped] == [False, True]
    with pytest.raises(PageError, match=r"model: the model's probabilities are NaN or infinite\.") as caught:
        translate_text(translator, "red", Choices(), 100)
    assert str(overflowing.parent) not in str(caught.value)


def test_one_bad_line_leaves_the_others(translator, monkeypatch):
    lines, compute, wanted = ["hello there", "goodbye now", "yes"], HmstModel.encode, []
    expected = [found.text for found in translator.translate_text(lines)]
    source = translator.decoder._encode(lines[1], "mt")

    def poison(self, src_tokens, src_lengths, **options):
        encoded = compute(self, src_tokens, src_lengths, **options)
        wanted[:] = [row for row, tokens in enumerate(src_tokens) if torch.equal(tokens[: len(source)], source)]
        encoded["encoder_out"][0][0, wanted] = torch.nan
        return encoded

    monkeypatch.setattr(HmstModel, "encode", poison)
    found = translator.translate_text(lines, skip_faults=True)
    assert [each.fault is None for each in found] == [True, False, True]
    assert [found[0].text, found[2].text] == [expected[0], expected[2]]


def test_validation_names_the_update_and_the_examples(prompt_data_bin, monkeypatch):
    task = build_task(prompt_data_bin, eval_bleu=True)
    model = build_model(task, "hmst_aed", **SIZES, decoder_layers=1)
    criterion, batch = build_criterion(task), batch_of(task, range(2))
    task.valid_step(batch, model, criterion)
    with monkeypatch.context() as context:
        context.setattr(
            type(model), "get_normalized_probs", lambda _, output, *__, **___: torch.full_like(output[0], torch.nan)
        )
        with pytest.raises(NotFiniteError, match=r"^validation after update 0: valid.st '.*': the model's probabil"):
            task.valid_step(batch, model, criterion)
    model.encoder.layer_norm.weight.data.fill_(BIGGEST)
    with pytest.raises(
        NotFiniteError, match="^validation after update 0: the loss is NaN .*; the batch has valid.st '"
    ):
        task.valid_step(batch, model, criterion)
