"""fairseq's command lines on a data-bin of two target languages."""

import json
from pathlib import Path

import pytest
from toy import GERMAN, WORDS, run_command
from training import PACKAGE, generate, training_command

WORDS_OF = {"fr": set(WORDS.values()), "de": set(GERMAN.values())}
TRAINING = "--streams st --max-update 80 --lr 0.01 --max-tokens 1000 --no-epoch-checkpoints".split()
TRAINING += "--eval-bleu --validate-interval 1000 --validate-interval-updates 80".split()


@pytest.fixture(scope="module")
def trained(two_target_data_bin, tmp_path_factory) -> tuple[Path, str]:
    """A checkpoint that has learned which words belong to which language, and what its training printed."""
    folder = tmp_path_factory.mktemp("trained")
    command = training_command(two_target_data_bin, folder, *TRAINING)
    result = run_command(*command)
    assert result.returncode == 0, result.stderr[-3000:]
    return folder / "checkpoint_last.pt", result.stdout


def assert_in_language(text: str, language: str) -> None:
    other = "fr" if language == "de" else "de"
    words = set(text.split())
    assert words & WORDS_OF[language], f"no word of {language} in: {text}"
    assert not words & WORDS_OF[other], f"a word of {other} in: {text}"


def test_every_sentence_of_a_mixed_test_set_is_decoded_in_its_own_language(two_target_data_bin, trained):
    lines = generate(two_target_data_bin, trained[0], "--beam", 3, "--max-len-b", 10)
    languages = (two_target_data_bin / "test.st.lang.txt").read_text(encoding="utf-8").split()
    references = (two_target_data_bin / "test.st.ref.txt").read_text(encoding="utf-8").splitlines()
    texts = {line[0]: {} for line in lines}
    for kind, number, *columns in (line.replace("-", "\t", 1).split("\t") for line in lines):
        texts[kind][int(number)] = columns[-1]
    assert len(texts["D"]) == len(languages) == 21
    for number, language in enumerate(languages):
        assert_in_language(texts["D"][number], language)
        assert texts["T"][number] == references[number]
    assert "<lang" not in str(texts)


def test_interactive_translates_into_the_language_that_it_is_told(two_target_data_bin, trained, tmp_path):
    source = tmp_path / "units"
    source.write_text(" ".join(map(str, range(27))) + "\n")
    command = ("fairseq-interactive", two_target_data_bin, "--user-dir", PACKAGE, "--task", "hmst_translation", "--cpu")
    command += ("--path", trained[0], "--input", source, "--max-len-b", 10)
    result = run_command(*command, "--target-language", "de")
    assert result.returncode == 0, result.stderr[-3000:]
    (hypothesis,) = (line for line in result.stdout.splitlines() if line.startswith("D-0"))
    assert_in_language(hypothesis.split("\t")[2], "de")
    assert "S-0\t<lang:de> " in result.stdout


def test_validation_logs_the_bleu_of_each_language(trained):
    lines = [line for line in trained[1].splitlines() if "| valid | {" in line]
    entry = json.loads(lines[-1][lines[-1].index("{") :])
    for name in ("valid_bleu", "valid_bleu_fr", "valid_bleu_de"):
        assert 0 <= float(entry[name]) <= 100
    assert not any(name.startswith("valid__") for name in entry)
