"""Multilingual TEDx: talks in flac, other names of splits, rows that are transcribed and not translated."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from cards import read_card

from preprocess.errors import ManifestError
from preprocess.files.faults import read_faults
from preprocess.speech.audio import load_audio

RATE = 44_100
SECONDS = ((0.25, 0.5), (1.0, 0.75), (2.0, 0.5))  # offset and duration of each talk's segments
TALKS = ("0u7tTptBo9I", "-x_Y-1e5")


def noise(talk: str) -> np.ndarray:
    return (3000 * np.random.default_rng(len(talk)).standard_normal(3 * RATE)).astype(np.int16)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for pair in ("es-en", "es-fr", "es-es"):
        for split in ("train", "valid", "test", "iwslt2021"):
            folder = tmp_path / "mtedx" / pair / "data" / split
            for name in ("wav", "txt", "vtt"):
                (folder / name).mkdir(parents=True)
            lines = []
            for talk in TALKS:
                soundfile.write(folder / "wav" / f"{talk}.flac", noise(talk), RATE)
                lines += [
                    f"- {{duration: {duration:.6f}, offset: {offset:.6f}, speaker_id: {talk}, wav: {talk}.wav}}\n"
                    for offset, duration in SECONDS
                ]
            (folder / f"txt/{split}.yaml").write_text("".join(lines))
            for language in pair.split("-"):
                (folder / f"txt/{split}.{language}").write_text("".join(f"{language} {n}\n" for n in range(6)))
    return tmp_path / "mtedx"


def test_splits_and_texts(root: Path, run_manifest, read_out):
    out = run_manifest("mtedx", root, "--src-lang", "es", "--tgt-lang", "en")
    names = ["dev.tsv", "test.tsv", "test_iwslt2021.tsv", "train.tsv"]
    assert sorted(path.name for path in out.glob("*.tsv")) == names
    rows = read_out("dev")
    assert [row.id for row in rows] == [f"{talk}_{number}-en" for talk in TALKS for number in range(3)]
    assert [(row.src_text, row.tgt_text) for row in rows] == [(f"es {n}", f"en {n}") for n in range(6)]
    assert [(row.offset, row.duration) for row in rows] == list(SECONDS) * 2
    assert {(row.src_lang, row.tgt_lang) for row in rows} == {("es", "en")}
    assert [row.speaker for row in rows[2:4]] == list(TALKS)


def test_sound_is_that_of_the_segment_cut_out(root: Path, run_manifest, read_out, tmp_path: Path):
    run_manifest("mtedx", root, "--src-lang", "es", "--tgt-lang", "en")
    for row in read_out("train"):
        assert row.audio.suffix == ".flac"
        begin, length = round(row.offset * RATE), round(row.duration * RATE)
        soundfile.write(tmp_path / "cut.wav", noise(row.audio.stem)[begin : begin + length], RATE)
        assert np.array_equal(load_audio(row.audio, row.offset, row.duration), load_audio(tmp_path / "cut.wav"))


def test_wav_is_taken_where_there_is_wav(root: Path, run_manifest, read_out):
    folder = root / "es-en/data/train/wav"
    soundfile.write(folder / f"{TALKS[0]}.wav", noise(TALKS[0]), RATE)
    run_manifest("mtedx", root, "--src-lang", "es", "--tgt-lang", "en")
    assert [row.audio.suffix for row in read_out("train")] == [".wav"] * 3 + [".flac"] * 3


def test_rows_that_are_transcribed_alone_are_left_out_counted_and_named(root: Path, run_manifest, read_out):
    (root / "es-en/data/train/txt/train.en").write_text("en 0\n\nen 2\nen 3\n  \nen 5\n")
    out = run_manifest("mtedx", root, "--src-lang", "es", "--tgt-lang", "en")
    assert [row.tgt_text for row in read_out("train")] == ["en 0", "en 2", "en 3", "en 5"]
    assert read_card(out, "manifest")["filtered"]["train"] == {"no translation": 2}
    left_out = read_faults(out.with_name("out.filtered.tsv"))
    assert [row.location.rsplit("/", 1)[1] for row in left_out] == ["train.yaml:2", "train.yaml:5"]


def test_several_target_languages_and_the_language_itself(root: Path, run_manifest, read_out):
    run_manifest("mtedx", root, "--src-lang", "es", "--tgt-lang", "fr", "en", "es")
    rows = read_out("train")
    assert [row.tgt_lang for row in rows] == ["fr"] * 6 + ["en"] * 6 + ["es"] * 6
    assert len({row.id for row in rows}) == 18
    assert all(row.src_text == row.tgt_text for row in rows[12:])


def test_a_pair_that_is_not_there_is_an_error(root: Path, run_manifest):
    with pytest.raises(ManifestError, match=r"expected fr-en/data/SPLIT/txt/SPLIT.yaml .* found es-en, es-es, es-fr"):
        run_manifest("mtedx", root, "--src-lang", "fr", "--tgt-lang", "en")
