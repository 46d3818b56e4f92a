"""What keeps a path from being read, each found in a folder that the test made."""

import os
import re
import unicodedata
from pathlib import Path

import pytest

from preprocess.errors import ManifestError
from preprocess.files.manifest import check_audio_file
from preprocess.files.reading.lines import read_lines
from preprocess.files.reading.obstacle import find_obstacle, is_there


@pytest.mark.parametrize(
    ("there", "wanted", "difference"),
    [
        (unicodedata.normalize("NFD", "José.wav"), "José.wav", r"Unicode normalisation \(NFD there\)"),
        ("José.wav", unicodedata.normalize("NFD", "José.wav"), r"Unicode normalisation \(NFC there\)"),
        ("x.wav", "x.wav ", "white space"),
        ("a b.wav", "a\u00a0b.wav", "white space"),
        ("X.WAV", "x.wav", "case"),
        (unicodedata.normalize("NFD", "JOSÉ.wav"), "José .wav", "case, white space or Unicode normalisation"),
        (os.fsdecode(b"Gespr\xe4ch.wav"), "Gespräch.wav", r"encoding \(it is not UTF-8\)"),
    ],
)
def test_a_name_that_looks_alike_is_told(tmp_path: Path, there: str, wanted: str, difference: str):
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks" / there).touch()
    with pytest.raises(ManifestError) as caught:
        check_audio_file(tmp_path / "talks" / wanted)
    assert caught.value.found == f"audio not found: {tmp_path}/talks/{wanted}"
    assert f"there is {there!r} in {tmp_path}/talks, whose name differs" in caught.value.advice
    assert re.search(f" by {difference}: rename it", caught.value.advice)


def test_folders_that_look_alike_or_are_not_there_are_told(tmp_path: Path):
    (tmp_path / "Talks").mkdir()
    (tmp_path / "Talks/x.wav").touch()
    assert "there is 'Talks' in" in find_obstacle(tmp_path / "talks/x.wav").advice
    assert "there is 'Talks' in" in find_obstacle(tmp_path / "talks/y.wav").advice
    assert find_obstacle(tmp_path / "other/x.wav").advice == f"there is no 'other' in {tmp_path}"
    assert find_obstacle(tmp_path / "Talks/y.wav").advice == ""
    (tmp_path / "link.wav").symlink_to("gone.wav")
    assert find_obstacle(tmp_path / "link.wav").advice == "it is a link to 'gone.wav', which is not there"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "it is a folder, not a file"),
        ("x" * 300, "File name too long: 300 bytes, a name may have 255"),
        ("a\0b", "no file can have this name: it holds the character NUL"),
        ("file/x.wav", "No such file or directory"),
    ],
)
def test_what_can_be_no_file_is_told(tmp_path: Path, name: str, message: str):
    (tmp_path / "file").touch()
    assert find_obstacle(tmp_path / name).found == message
    assert find_obstacle(tmp_path / "file") is None
    with pytest.raises(ManifestError, match=f"cannot be read: {message}"):
        list(read_lines(tmp_path / name))


def test_whatever_has_a_name_is_there(tmp_path: Path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("gone")
    assert all(is_there(tmp_path / name) for name in ("file", "folder", "link"))
    assert not any(is_there(tmp_path / name) for name in ("gone", "gone/file", "file/file"))
    assert is_there(tmp_path / ("x" * 300))  # which no one can know


@pytest.fixture
def without_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of root, whom no mode keeps out, what `access` says of another user."""
    if os.geteuid() == 0:
        bits = {os.R_OK: 0o400, os.X_OK: 0o100}
        monkeypatch.setattr(os, "access", lambda path, mode: bool(os.stat(path).st_mode & bits[mode]))


def test_closed_files_say_which_right_is_missing(tmp_path: Path, without_rights: None):
    (tmp_path / "x.wav").touch(mode=0o000)
    obstacle = find_obstacle(tmp_path / "x.wav")
    assert (obstacle.found, obstacle.advice) == (
        "Permission denied",
        f"let this user read it: chmod u+r '{tmp_path}/x.wav'",
    )
