import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocess.__main__ import main
from preprocess.files.manifest import read_manifest

ROWS = ["id\tsrc_text\tnote\taudio\ttgt_text", 'a\tsay "hi\tx\twav/a.wav\tdis « salut »', "b\thello\ty\t\tbonjour"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "raw/wav").mkdir(parents=True)
    soundfile.write(tmp_path / "raw/wav/a.wav", np.zeros(8000), 16_000)
    return tmp_path / "raw"


def write(root: Path, *lines: str, name: str = "train.tsv") -> None:
    (root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def stage(root: Path, *options: str) -> int:
    return main(["manifest", "tsv", "--root", str(root), "--out", str(root.parent / "out"), *options])


LANGUAGES = ["--src-lang", "en", "--tgt-lang", "fr"]


def test_a_folder_becomes_manifests_and_a_card(root: Path):
    for name in ("train.tsv", "dev.tsv", "test.tsv", "test_hard.tsv", "other.tsv"):
        write(root, *ROWS, name=name)
    assert stage(root, *LANGUAGES) == 0
    out = root.parent / "out"
    names = ["card.json", "dev.tsv", "test.tsv", "test_hard.tsv", "train.tsv"]
    assert sorted(path.name for path in out.iterdir()) == names
    first, second = read_manifest(out / "dev.tsv")
    assert (first.id, first.src_text, first.tgt_text) == ("a", 'say "hi', "dis « salut »")
    assert first.audio.resolve() == root / "wav/a.wav"
    assert (first.src_lang, first.tgt_lang, second.audio) == ("en", "fr", None)
    card = json.loads((out / "card.json").read_text())
    assert card["corpus"] == "tsv"
    assert card["counts"]["test_hard"] == {"rows": 2, "with_audio": 1, "with_transcript": 2, "seconds": 0.5}


def test_one_file_keeps_its_name_and_its_languages(root: Path):
    write(root, *(f"{row}\t{lang}" for row, lang in zip(ROWS, ("tgt_lang", "de", ""), strict=True)), name="mine.tsv")
    assert stage(root / "mine.tsv", "--src-lang", "en", "--tgt-lang", "fr", "--out", str(root.parent / "out")) == 0
    assert [row.tgt_lang for row in read_manifest(root.parent / "out/mine.tsv")] == ["de", "fr"]


def test_a_manifest_goes_through_unchanged(root: Path):
    write(root, *ROWS)
    assert stage(root, *LANGUAGES) == 0
    out = root.parent / "out"
    assert main(["manifest", "tsv", "--root", str(out), "--out", str(root.parent / "again")]) == 0
    assert (root.parent / "again/train.tsv").read_bytes() == (out / "train.tsv").read_bytes()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROWS[0].replace("audio", "sound"), *ROWS[1:]], "train.tsv:1: expected at least the columns"),
        ([*ROWS, ROWS[2]], "train.tsv:4: utterance 'b': the id was used before, in"),
        ([*ROWS, "c\tx\ty\twav/c.wav\tz"], "train.tsv:4: utterance 'c': audio not found"),
        ([*ROWS, "c\tx\ty\twav/short.wav\tz"], "train.tsv:4: utterance 'c': "),
        ([*ROWS, "c\tx\ty\twav/text.wav\tz"], "text.wav: not audio"),
        ([*ROWS, "c\tx\ty\twav/a.wav\t"], "train.tsv:4: utterance 'c': tgt_text is empty"),
        ([*ROWS, "c\tx\ty\twav/a.wav\tz\tmore"], "train.tsv:4: expected 5 tab-separated fields"),
    ],
)
def test_a_row_at_fault_is_named_and_nothing_is_written(root: Path, capsys, rows: list[str], message: str):
    soundfile.write(root / "wav/short.wav", np.zeros(320), 16_000)
    (root / "wav/text.wav").write_text("no sound")
    write(root, *rows)
    assert stage(root, *LANGUAGES) == 1
    assert message in capsys.readouterr().err
    assert [path.name for path in root.parent.iterdir()] == ["raw"]


def test_a_segment_past_the_end_is_refused(root: Path, capsys):
    write(root, f"{ROWS[0]}\toffset\tduration", f"{ROWS[1]}\t0.2\t0.4")
    assert stage(root, *LANGUAGES) == 1
    assert "train.tsv:2: utterance 'a': " in capsys.readouterr().err


def test_missing_languages_roots_and_files_are_refused(root: Path, capsys):
    assert stage(root) == 1
    assert "expected train.tsv, dev.tsv or test*.tsv in it, found none" in capsys.readouterr().err
    write(root, *ROWS)
    assert stage(root, "--src-lang", "en") == 1
    assert "train.tsv:2: utterance 'a': tgt_lang is empty" in capsys.readouterr().err
    assert stage(root / "none") == 1
    assert "none does not exist" in capsys.readouterr().err


def test_the_raw_release_is_never_replaced(root: Path, capsys):
    write(root, *ROWS)
    (root / "card.json").write_text("{}")
    for out in (root, root.parent):
        assert stage(root, *LANGUAGES, "--out", str(out)) == 1
        assert "would replace --root" in capsys.readouterr().err
    assert (root / "train.tsv").is_file()


def test_a_folder_that_is_not_ours_is_not_replaced(root: Path, capsys):
    write(root, *ROWS)
    (root.parent / "out").mkdir()
    (root.parent / "out/thesis.txt").touch()
    assert stage(root, *LANGUAGES) == 1
    assert "exists and is not an output of preprocess" in capsys.readouterr().err
    assert (root.parent / "out/thesis.txt").exists()
