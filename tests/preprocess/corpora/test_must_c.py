"""MuST-C as it should be: every layout, every text, every sample."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import yaml

from preprocess.corpora.releases.segments import read_talk_segments
from preprocess.speech import audio
from preprocess.speech.audio import load_audio

SPLITS = {"train": "train", "dev": "dev", "tst-COMMON": "test_tst-COMMON", "tst-HE": "test_tst-HE"}


def text_files(root: Path, split: str = "train") -> list[Path]:
    return [root / f"en-fr/data/{split}/txt/{split}.{suffix}" for suffix in ("yaml", "en", "fr")]


def rewrite(path: Path, change) -> None:
    path.write_bytes(change(path.read_text(encoding="utf-8")).encode("utf-8"))


def test_every_row_has_the_texts_and_to_the_sample_the_sound_of_its_segment(whole_tree, run_manifest, read_out):
    run_manifest("must_c", whole_tree.root, "--tgt-lang", "fr")
    for split, name in SPLITS.items():
        rows, segments = read_out(name), whole_tree.segments[split]
        assert [(row.src_text, row.tgt_text) for row in rows] == [(s.texts["en"], s.texts["fr"]) for s in segments]
        for row, segment in zip(rows, segments, strict=True):
            samples = load_audio(row.audio, row.offset, row.duration)
            assert np.array_equal(samples, segment.samples / np.float32(32768))
            assert (row.src_lang, row.tgt_lang, row.audio.name) == ("en", "fr", segment.wav)
            assert row.speaker == "spk." + segment.wav[4:-4]


def test_ids_are_talk_number_and_language(whole_tree, run_manifest, read_out):
    run_manifest("must_c", whole_tree.root, "--tgt-lang", "fr")
    ids = [row.id for row in read_out("train")]
    assert ids[:8] == [*(f"ted_1_{number}-fr" for number in range(7)), "ted_2_0-fr"]


def test_several_target_languages_stand_together_with_ids_of_their_own(whole_tree, run_manifest, read_out):
    run_manifest("must_c", whole_tree.root, "--tgt-lang", "fr", "es")
    for split, name in SPLITS.items():
        rows, segments = read_out(name), whole_tree.segments[split]
        assert len(rows) == 2 * len(segments) == len({row.id for row in rows})
        texts = [segment.texts[language] for language in ("fr", "es") for segment in segments]
        assert [row.tgt_text for row in rows] == texts
        assert {row.tgt_lang for row in rows} == {"fr", "es"}


def test_root_may_be_the_folder_of_the_pair(tree, run_manifest, tmp_path: Path):
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    from_release = (tmp_path / "out/train.tsv").read_bytes()
    run_manifest("must_c", tree.root / "en-fr", "--tgt-lang", "fr")
    assert (tmp_path / "out/train.tsv").read_bytes() == from_release


def test_lines_as_in_version_1_make_the_same_manifest(tree, run_manifest, tmp_path: Path):
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    expected = (tmp_path / "out/train.tsv").read_bytes()
    rewrite(text_files(tree.root)[0], lambda text: text.replace("rW: 3, uW: 0, ", ""))
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    assert (tmp_path / "out/train.tsv").read_bytes() == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: unicodedata.normalize("NFD", text),
    ],
    ids=["CRLF", "BOM", "BOM and CRLF", "last line without end", "NFD"],
)
def test_forms_of_text_files_change_nothing(tree, run_manifest, tmp_path: Path, change):
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    expected = (tmp_path / "out/train.tsv").read_bytes()
    before = [path.read_bytes() for path in text_files(tree.root)]
    for path in text_files(tree.root):
        rewrite(path, change)
    assert [path.read_bytes() for path in text_files(tree.root)] != before
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    assert (tmp_path / "out/train.tsv").read_bytes() == expected


@pytest.mark.parametrize("separator", ["\r", "\u2028", "\x85", "\x0b", "\t"])
def test_separators_within_a_line_are_white_space_and_shift_nothing(tree, run_manifest, read_out, separator: str):
    path = text_files(tree.root)[2]
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_bytes("\n".join([f"Un{separator}deux.", *lines[1:]]).encode("utf-8"))
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    rows = read_out("train")
    assert [rows[0].tgt_text, rows[1].tgt_text] == ["Un deux.", lines[1]]


def test_a_segment_that_stands_twice_is_two_rows(tree, run_manifest, read_out):
    for path in text_files(tree.root):
        rewrite(path, lambda text: text.split("\n")[0] + "\n" + text)
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    first, second = read_out("train")[:2]
    assert (first.id, second.id) == ("ted_1_0-fr", "ted_1_1-fr")
    assert (first.offset, first.src_text) == (second.offset, second.src_text)


def test_the_header_of_a_talk_is_read_once(whole_tree, run_manifest, monkeypatch):
    opened = []

    def measure_audio(path, *arguments):
        opened.append(path)
        return audio.measure_audio(path, *arguments)

    monkeypatch.setattr("preprocess.corpora.rows.selection.measure_audio", measure_audio)
    run_manifest("must_c", whole_tree.root, "--tgt-lang", "fr")
    assert sorted(opened) == sorted(whole_tree.root.glob("en-fr/data/*/wav/*.wav"))


def test_a_release_without_train_has_its_test_sets(tree, run_manifest, tmp_path: Path):
    for split in ("train", "dev", "tst-HE"):
        text_files(tree.root, split)[0].unlink()
    run_manifest("must_c", tree.root, "--tgt-lang", "fr", "--max-length-ratio", 2)
    assert [path.name for path in (tmp_path / "out").glob("*.tsv")] == ["test_tst-COMMON.tsv"]


SEGMENT_FILES = [
    "- {duration: 3.500000, offset: 16.080000, rW: 9, uW: 0, speaker_id: spk.767, wav: ted_767.wav}\n",
    "- {duration: 3.5, offset: 1.6e+1, speaker_id: spk.1, wav: ted_1.wav}\n\n# a comment\n- {wav: b.wav, offset: 1, "
    "duration: 2, speaker_id: x}\n",
    "- {duration: 1, offset: 2, speaker_id: '12345678901', wav: '0e1 , {x}.wav'}\n",
    '- {duration: 1, offset: 2, speaker_id: "a\\tb", wav: "#é.wav"}\n',
    "-   {duration: 1,   offset:  2, speaker_id: -x_-Y, wav: -x_-Y.wav}  # why not\n",
    "- {duration: 1,offset: 2,speaker_id: a:b,wav: c.wav}\n",
]


@pytest.mark.parametrize("text", SEGMENT_FILES)
def test_segments_are_those_that_pyyaml_reads(tmp_path: Path, text: str):
    path = tmp_path / "train.yaml"
    path.write_text(text, encoding="utf-8")
    expected = yaml.load(text, Loader=yaml.BaseLoader)
    found = list(read_talk_segments(path))
    assert [(s.wav, s.offset, s.duration, s.speaker) for s in found] == [
        (e["wav"], e["offset"], e["duration"], e["speaker_id"]) for e in expected
    ]
    lines = text.split("\n")
    assert all(found[i].wav in lines[int(found[i].location.rsplit(":", 1)[1]) - 1] for i in range(len(found)))
