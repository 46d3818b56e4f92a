"""The mBART example: its script from a made-up mBART to scores, and its tools."""

import re
import runpy
import sys

import pytest
from sentencepiece import SentencePieceProcessor
from toy import NUM_UNITS, REPOSITORY, run_command

EXAMPLE = REPOSITORY / "examples" / "mbart"


@pytest.fixture(scope="module")
def corpus(toy_data_bin):
    """A folder with manifest/ and units/."""
    return toy_data_bin.parent


def test_the_script_goes_from_an_mbart_made_here_to_a_score(corpus, tmp_path):
    settings = {"CORPUS": str(corpus), "UNIT_VOCAB": str(NUM_UNITS + 5), "UPDATES": "2", "OUT": str(tmp_path)}
    result = run_command("bash", EXAMPLE / "run.sh", **settings, PRECISION="--cpu", FINETUNE="lna")
    assert result.returncode == 0, result.stderr[-3000:]
    assert re.search(r"^unit subwords +\d+ +0 +0$", result.stdout, re.MULTILINE)
    assert "Generate test with beam=5: BLEU = " in result.stdout
    assert "--finetune lna trains" in result.stdout + result.stderr


def test_pieces_are_those_of_one_model_and_all_in_the_dictionary(corpus, tmp_path):
    options = ["--manifest-dir", corpus / "manifest", "--source", "en_XX", "--target", "fr_XX", "--vocab", 40]
    result = run_command("python", EXAMPLE.parent / "text_start" / "pieces.py", *options, "--out", tmp_path)
    assert result.returncode == 0, result.stderr
    model = SentencePieceProcessor(model_file=str(tmp_path / "sentence.bpe.model"))
    symbols = [line.split(" ")[0] for line in (tmp_path / "dict.txt").read_text(encoding="utf-8").splitlines()]
    assert symbols == [model.id_to_piece(index) for index in range(3, len(model))]
    for split in ("train", "valid"):
        sources, targets = (
            (tmp_path / f"{split}.{symbol}").read_text(encoding="utf-8").splitlines() for symbol in ("en_XX", "fr_XX")
        )
        assert len(sources) == len(targets) > 0
        assert {piece for line in (*sources, *targets) for piece in line.split()} <= set(symbols)
    assert len((tmp_path / "ML50_langs.txt").read_text().split()) == 52


def test_parameters_counts_those_of_the_published_model(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["parameters.py", "--pieces", "249997", "--units", "1"])
    runpy.run_path(str(EXAMPLE / "parameters.py"), run_name="__main__")
    printed = capsys.readouterr().out
    width, inner = 1024, 4096
    attention, norm, feed_forward = 4 * (width + 1) * width, 2 * width, (width + 1) * inner + (inner + 1) * width
    layers = 12 * (attention + feed_forward + 2 * norm) + 12 * (2 * attention + feed_forward + 3 * norm)
    published = 250_054 * width + layers + 2 * (1024 + 2) * width + 4 * norm
    assert f"as published, by transformers: {published:,}" in printed
    assert printed.count(f"| {published + 1024:,} |") == 2
