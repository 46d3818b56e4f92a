import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cards import read_card

from preprocess.__main__ import main
from preprocess.files.faults import read_faults
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


ROW_FAULTS = {
    "carriage return": (b"c\t\twav/a.wav\tHoraires.\r Planifier\tz", "src_text holds a carriage return"),
    "nan": (b"c\tnan\twav/a.wav\tx\tz", "offset must be a number of seconds or empty, found 'nan'"),
    "decimal comma": (b"c\t0,5\twav/a.wav\tx\tz", "offset must be a number of seconds or empty, found '0,5'"),
    "missing field": (b"c\t\twav/a.wav\tx", "expected 5 tab-separated fields (4 tabs), found 4"),
    "tab": (b"c\t\twav/a.wav\tx\ty\tz", "expected 5 tab-separated fields (4 tabs), found 6"),
    "tabs alone": (b"\t\t\t\t", "the id is empty"),
    "empty line": (b"", "expected 5 tab-separated fields (4 tabs), found 1"),
    "latin 1": (b"c\t\twav/a.wav\tcaf\xe9\tz", "expected UTF-8, found the byte 0xE9"),
    "long name": (b"c\t\t" + b"x" * 300 + b"\tx\tz", "audio cannot be read: "),
    "NUL in a name": (b"c\t\ta\0b\tx\tz", "audio cannot be read: "),
    "a folder": (b"c\t\twav\tx\tz", "audio cannot be read: "),
    "a file as a folder": (b"c\t\twav/a.wav/b\tx\tz", "audio not found: "),
}


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_a_row_that_cannot_be_read_is_left_out_and_named(root: Path, fault: str):
    line, reason = ROW_FAULTS[fault]
    good = [f"{name}\t\twav/a.wav\tx\tz".encode() for name in "abde"]
    lines = [b"id\toffset\taudio\tsrc_text\ttgt_text", *good[:2], line, *good[2:]]
    (root / "train.tsv").write_bytes(b"\n".join(lines) + b"\n")
    assert stage(root, *LANGUAGES) == 1
    assert stage(root, *LANGUAGES, "--on-error", "skip") == 0
    out = root.parent / "out"
    assert [row.id for row in read_manifest(out / "train.tsv")] == list("abde")
    (listed,) = read_faults(out.with_name("out.errors.tsv"))
    assert listed.location == f"{root}/train.tsv:4"
    assert listed.reason.startswith(reason)
    assert read_card(out, "manifest")["errors"] == {"train": 1}


def test_the_only_row_may_not_be_lost(root: Path, capsys):
    write(root, ROWS[0], "c\tx\ty\twav/none.wav\tz")
    assert stage(root, *LANGUAGES, "--on-error", "skip", "--max-errors", "1") == 1
    assert "1 of 1 cannot be used and are listed in errors.tsv, so none is left" in capsys.readouterr().err
    write(root, ROWS[0], "a\tx\ty\twav/a.wav\tz", "c\tx\ty\twav/none.wav\tz")
    assert stage(root, *LANGUAGES, "--on-error", "skip") == 0


def test_a_file_without_rows_does_not_stop_the_others(root: Path, caplog):
    write(root, *ROWS)
    (root / "dev.tsv").write_text("id\taudio\n", encoding="utf-8")
    (root / "test.tsv").write_bytes(b"")
    assert stage(root, *LANGUAGES) == 1
    assert stage(root, *LANGUAGES, "--on-error", "skip") == 0
    out = root.parent / "out"
    assert [path.name for path in sorted(out.glob("*.tsv"))] == ["train.tsv"]
    for name in ("dev", "test"):
        assert f"{name} cannot be made and is left out: {root}/{name}.tsv" in caplog.text
    assert len(read_faults(out.with_name("out.errors.tsv"))) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.mkdir, "it is a folder, not a file"),
        (lambda path: path.symlink_to("/nowhere/dev.tsv"), "it is a link to '/nowhere/dev.tsv', which is not there"),
    ],
)
def test_a_split_that_is_no_file_is_named(root: Path, capsys, caplog, make: Callable[[Path], None], message: str):
    write(root, *ROWS)
    make(root / "dev.tsv")
    assert stage(root, *LANGUAGES) == 1
    assert message in capsys.readouterr().err
    assert stage(root, *LANGUAGES, "--on-error", "skip") == 0
    assert f"dev cannot be made and is left out: {root}/dev.tsv: cannot be read: " in caplog.text


def test_a_folder_whose_name_is_not_utf_8_goes_through(root: Path):
    odd = Path(os.fsdecode(os.fsencode(root.parent) + b"/Gespr\xe4che"))
    root.rename(odd)
    (odd / "wav/a.wav").rename(odd / os.fsdecode(b"wav/\xe4.wav"))
    lines = ["id\taudio\tsrc_text\ttgt_text", "a\twav/\udce4.wav\tx\tz", "b\twav/none.wav\tx\tz", "c\t\tx\tz"]
    (odd / "train.tsv").write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    for out in (odd / "out", root.parent / "far/away/from/it/out"):
        assert stage(odd, *LANGUAGES, "--on-error", "skip", "--out", str(out)) == 0
        first, second = read_manifest(out / "train.tsv")
        assert os.path.samefile(first.audio, odd / os.fsdecode(b"wav/\xe4.wav"))
        assert (first.id, second.id) == ("a", "c")
        (listed,) = read_faults(out.with_name("out.errors.tsv"))
        assert listed.location == f"{odd}/train.tsv:3"


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
        assert f"would replace {root}, which is read" in capsys.readouterr().err
    assert (root / "train.tsv").is_file()


def test_a_folder_that_is_not_ours_is_not_replaced(root: Path, capsys):
    write(root, *ROWS)
    (root.parent / "out").mkdir()
    (root.parent / "out/thesis.txt").touch()
    assert stage(root, *LANGUAGES) == 1
    assert "exists and is not an output of hmst preprocess manifest: " in capsys.readouterr().err
    assert (root.parent / "out/thesis.txt").exists()
