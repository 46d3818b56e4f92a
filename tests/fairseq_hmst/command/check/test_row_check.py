"""`hmst check RECIPE.yaml`: faults of the rows of a corpus."""

import json
import re
from pathlib import Path

import pytest
from checked_recipes import WHOLE, Found

from fairseq_hmst.command.check.command import main
from fairseq_hmst.command.check.recipe_check import check_before_work
from preprocess.__main__ import main as preprocess


def test_all_rows_at_fault_are_named_at_once(faults: Found, tmp_path: Path):
    (tmp_path / "corpus" / "audio" / "train3.wav").unlink()
    (tmp_path / "corpus" / "audio" / "dev0.wav").write_bytes(b"no sound")
    found = faults(WHOLE)
    assert [fault.partition(": ")[0] for fault in found] == ["corpus/train.tsv:5", "corpus/dev.tsv:2"]


def test_rows_that_the_recipe_leaves_out_are_no_faults(faults: Found, tmp_path: Path):
    (tmp_path / "corpus" / "audio" / "train3.wav").unlink()
    assert faults(WHOLE.replace("root: corpus", "root: corpus\n  on-error: skip\n  max-errors: 0.5")) == []


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "source-vocab: 13",
            "source-vocab: 300",
            "recipe.yaml:8: subwords: source-vocab, src_text of train: asked for 300 pieces, but",
        ),
        (
            "target-vocab: 13",
            "target-vocab: 3",
            "recipe.yaml:8: subwords: target-vocab, tgt_text of train: asked for 3 pieces, but the",
        ),
        (
            "unit-vocab: 8",
            "unit-vocab: 5",
            "recipe.yaml:8: subwords: unit-vocab: asked for 5 pieces, but each of 6 units must be one",
        ),
    ],
)
def test_vocabularies_that_the_data_does_not_allow_are_named(faults: Found, before: str, after: str, message: str):
    (fault,) = faults(WHOLE.replace(before, after))
    assert fault.startswith(message)


@pytest.mark.parametrize("other", ["EN", "en-US", "en_gb", " en"])
def test_languages_equal_but_for_case_or_region_are_named(faults: Found, tmp_path: Path, other: str):
    path = tmp_path / "corpus" / "dev.tsv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    lines = [f"{header}\tsrc_lang", f"{rows[0]}\t{other}", *(f"{row}\ten" for row in rows[1:])]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = faults(WHOLE)
    (fault,) = found
    assert fault.startswith(f"corpus/dev.tsv:2: src_lang is '{other}' here and 'en' in corpus/train.tsv:2, which are")


@pytest.fixture
def whisper(tmp_path: Path) -> None:
    """What says that an encoder takes 0.4 s at most; the corpus has half seconds."""
    (tmp_path / "whisper").mkdir()
    for name, content in {
        "config": {"model_type": "whisper", "max_source_positions": 20},
        "preprocessor_config": {"hop_length": 160, "n_fft": 400},
    }.items():
        (tmp_path / "whisper" / f"{name}.json").write_text(json.dumps(content))


def test_rows_that_are_too_long_for_the_encoder_are_all_named(faults: Found, whisper: None):
    found = faults(WHOLE.replace("mfcc", "whisper"))
    assert len(found) == 12
    assert found[0].startswith(
        "corpus/train.tsv:2: row 'train0': corpus/audio/train0.wav: too long: 0.5 s, expected at"
    )


def test_rows_too_long_that_the_filter_leaves_out_are_no_faults(faults: Found, whisper: None, tmp_path: Path):
    recipe = WHOLE.replace("mfcc", "whisper").replace("root: corpus", "root: corpus\n  max-seconds: 0.4")
    found = faults(recipe)
    assert not any("train" in fault and "too long" in fault for fault in found)


def test_rows_of_train_that_are_too_long_at_a_speed_are_named_with_it(faults: Found, whisper: None, tmp_path: Path):
    config = tmp_path / "whisper/config.json"
    config.write_text(config.read_text().replace("20", "26"))  # 0.52 s
    assert faults(WHOLE.replace("mfcc", "whisper")) == []
    recipe = WHOLE.replace("mfcc", "whisper").replace("subwords:", "units: {speeds: [0.9, 1, 1.1]}\nsubwords:")
    found = faults(recipe)
    assert len(found) == 8
    assert found[0].startswith("corpus/train.tsv:2: row 'sp0.9-train0': corpus/audio/train0.wav at speed 0.9: too long")
    assert faults(recipe.replace("0.9, 1,", "1,")) == []
    assert faults(recipe.replace("speeds:", "on-error: skip, speeds:")) == []


def test_a_row_that_has_the_name_of_another_at_a_speed_is_a_fault(faults: Found, tmp_path: Path):
    path = tmp_path / "corpus/train.tsv"
    path.write_text(path.read_text().replace("train4\t", "sp1.1-train3\t"))
    assert faults(WHOLE) == []
    (found,) = faults(WHOLE.replace("subwords:", "units: {speeds: [1, 1.1]}\nsubwords:"))
    assert found.startswith("corpus/train.tsv:6: utterance 'sp1.1-train3': the id is also that of utterance 'train3' (")


def test_two_regions_of_a_language_may_be_meant(faults: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for split, language in (("train", "pt-BR"), ("dev", "pt-PT"), ("test", "pt-PT")):
        path = tmp_path / "corpus" / f"{split}.tsv"
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        lines = [f"{header}\ttgt_lang", *(f"{row}\t{language}" for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (warning,) = faults(WHOLE)
    assert warning.startswith("corpus/dev.tsv:2: tgt_lang is 'pt-PT' here and 'pt-BR' in corpus/train.tsv:2")
    assert main([str(tmp_path / "recipe.yaml")]) == 0
    printed = capsys.readouterr()
    assert printed.err.count("warning: ") == 1 and "no faults" in printed.out
    check_before_work(tmp_path / "recipe.yaml")
    assert capsys.readouterr().err.startswith("warning: ")


def test_audio_that_is_gone_since_the_manifests_were_made_is_named(faults: Found, tmp_path: Path):
    made = ["manifest", "tsv", "--root", tmp_path / "corpus", "--src-lang", "en", "--tgt-lang", "fr"]
    assert preprocess([*map(str, made), "--out", str(tmp_path / "m")]) == 0
    (tmp_path / "corpus" / "audio" / "dev1.wav").unlink()
    recipe = re.sub(r"manifest:\n(  .*\n)+", "manifest: m\n", WHOLE)
    (fault,) = faults(recipe)
    assert fault.startswith("m/dev.tsv:3: row 'dev1': audio not found: m/../corpus/audio/dev1.wav; ")


def test_rows_of_a_speaker_with_two_sentences_can_be_joined(faults: Found, tmp_path: Path):
    manifest = tmp_path / "corpus/train.tsv"
    header, *rows = manifest.read_text(encoding="utf-8").splitlines()
    assert "speaker" not in header
    lines = [f"{header}\tspeaker", *(f"{row}\tone" for row in rows)]
    manifest.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert faults(WHOLE.replace("max-update: 2", "max-update: 2, join-share: 0.1")) == []
