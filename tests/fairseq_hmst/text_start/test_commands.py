"""From a text model to translations by fairseq's command lines."""

import csv
import logging
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from sentencepiece import SentencePieceProcessor
from text_model_cases import TextModelCase, search_by_hugging_face, text_model_case
from tiny_mbart import language_symbols
from training import PACKAGE, TRAINING

import fairseq_hmst.plugin  # noqa: F401  (fairseq scans --user-dir only where the package is not imported yet)

MAX_TOKENS = 30
TASK = ["--user-dir", PACKAGE, "--task", "hmst_translation", "--max-tokens", 2000]


def train(monkeypatch, data_bin: Path, save_dir: Path, *options: object) -> int:
    """Run fairseq-train; the number of updates that its last checkpoint has seen."""
    from fairseq_cli import train

    task = [*TASK, "--criterion", "hmst_joint", *TRAINING, "--save-dir", save_dir]
    run_here(monkeypatch, train.cli_main, "fairseq-train", data_bin, *task, *options)
    return torch.load(save_dir / "checkpoint_last.pt")["optimizer_history"][-1]["num_updates"]


def generate(monkeypatch, data_bin: Path, save_dir: Path, *options: object) -> dict[int, str]:
    """Run fairseq-generate on the test set; pieces of the best translation by number of the sentence."""
    from fairseq_cli import generate

    output = ["--path", save_dir / "checkpoint_last.pt", "--results-path", save_dir, "--cpu", "--gen-subset", "test"]
    run_here(monkeypatch, generate.cli_main, "fairseq-generate", data_bin, *TASK, *output, *options)
    lines = (save_dir / "generate-test.txt").read_text(encoding="utf-8").splitlines()
    return {int(line[2 : line.index("\t")]): line.split("\t")[2] for line in lines if line.startswith("H-")}


def run_here(monkeypatch, command: Callable[[], None], *arguments: object) -> None:
    """Run a command line in this process, which has imported all that is slow to import."""
    monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
    command()


def test_a_training_goes_on_and_its_checkpoints_decode_without_the_file(tmp_path, monkeypatch, caplog):
    case = text_model_case("mbart-50", keep_all_pieces=False, targets=("fr",))
    file, save_dir = tmp_path / "mbart.pt", tmp_path / "checkpoints"
    shutil.copy(case.file, file)
    options = ["--arch", "hmst_ctc_attention", "--init-from", file, "--finetune", "lna", "--update-freq", 2]
    assert train(monkeypatch, case.data_bin, save_dir, *options, "--max-update", 2) == 2
    with caplog.at_level(logging.INFO):
        assert train(monkeypatch, case.data_bin, save_dir, *options, "--max-update", 3) == 3
    assert re.search(r"Loaded checkpoint .*checkpoint_last.pt \(epoch 1 @ 2 updates\)", caplog.text)
    assert re.search(r"--finetune lna trains [\d,]+ of [\d,]+ parameters", caplog.text)
    trained, started = torch.load(save_dir / "checkpoint_last.pt")["model"], torch.load(file)["state"]
    assert torch.equal(trained["encoder.layers.0.fc1.weight"], started["encoder.layers.0.fc1.weight"])
    attention = "encoder.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(trained[attention], started[attention])
    file.unlink()
    assert len(generate(monkeypatch, case.data_bin, save_dir)) == 21


@pytest.mark.parametrize("convention", ["mbart-50", "m2m-100", "opus-mt"])
def test_text_not_fine_tuned_translates_as_the_text_model_does(tmp_path, monkeypatch, convention):
    case = text_model_case(convention, keep_all_pieces=True, targets=("fr",), repeat=1)
    options = ["--arch", "hmst_aed", "--init-from", case.file, "--streams", "mt", "--disable-validation"]
    train(monkeypatch, case.data_bin, tmp_path, *options, "--lr", 0, "--max-update", 1)
    search = ["--eval-stream", "mt", "--beam", 4, "--max-len-b", MAX_TOKENS, "--unkpen", 1e9]
    found = generate(monkeypatch, case.data_bin, tmp_path, *search)
    expected = translate_by_hugging_face(case)
    is_whole = [len(text.split()) < MAX_TOKENS for text in expected]  # at the limit the rules differ
    assert len({text for text, whole in zip(expected, is_whole, strict=True) if whole}) > 4
    for number, text in enumerate(expected):
        assert found[number] == text or not is_whole[number]


def translate_by_hugging_face(case: TextModelCase) -> list[str]:
    """Plain English to French pieces by transformers and sentencepiece alone, in the order of the test set."""
    with (case.data_bin.parent / "manifest" / "test.tsv").open(encoding="utf-8") as file:
        texts = [row["src_text"] for row in csv.DictReader(file, delimiter="\t") if row["src_text"]]
    translations = []
    unknown = 3 if case.convention == "mbart-50" else case.tokenizer.unk_token_id
    for text in texts:
        source, french, name = encode_by_hugging_face(case, text)
        rows, _ = search_by_hugging_face(case, torch.tensor(source), french, 4, 1.0, MAX_TOKENS, never=(unknown,))[0]
        translations.append(" ".join(name(row) for row in rows))
    return translations


def encode_by_hugging_face(case: TextModelCase, text: str) -> tuple[list[int], int, Callable[[int], str]]:
    """Rows of an English text, that of the symbol of French (0: none), and a function from a row to its piece."""
    if case.convention != "mbart-50":
        symbol = 0 if case.convention == "opus-mt" else case.tokenizer.get_lang_id("fr")
        return case.tokenizer(text).input_ids, symbol, case.tokenizer.convert_ids_to_tokens
    model = SentencePieceProcessor(model_file=str(case.folder / "sentencepiece.bpe.model"))
    first_language = len(model) + 1
    english, french = (first_language + language_symbols("mbart-50").index(name) for name in ("en_XX", "fr_XX"))
    source = [english, *(index + 1 for index in model.encode(text)), 2]
    return source, french, lambda row: model.id_to_piece(row - 1)
