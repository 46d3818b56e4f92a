import os
from pathlib import Path

import pytest

from preprocess.files.cards import file_hashes
from preprocess.files.cards.file_hashes import FileHashes
from preprocess.files.hashing import hash_file

LONG_AGO = 1e9


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Names of the files that were read to be hashed."""
    names: list[str] = []
    monkeypatch.setattr(file_hashes, "hash_file", lambda path, report: (names.append(path.name), hash_file(path))[1])
    return names


def write(path: Path, text: str, time: float = LONG_AGO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time, time))
    return path


def find(folder: Path, *names: str) -> dict[str, str]:
    paths = [folder / name for name in names]
    return {path.name: found for path, found in FileHashes(folder / "kept.json").find(paths, "look").items()}


def test_a_file_is_read_once_and_again_where_size_or_time_is_another(tmp_path: Path, read):
    path = write(tmp_path / "a.wav", "sound")
    expected = {"a.wav": hash_file(path)}
    assert find(tmp_path, "a.wav") == find(tmp_path, "a.wav") == expected
    assert read == ["a.wav"]
    os.utime(path, (LONG_AGO + 1, LONG_AGO + 1))
    assert find(tmp_path, "a.wav") == find(tmp_path, "a.wav") == expected
    assert read == ["a.wav"] * 2
    write(path, "longer sound")
    assert find(tmp_path, "a.wav") == {"a.wav": hash_file(path)} != expected
    assert read == ["a.wav"] * 3


def test_one_file_of_many_does_not_lose_the_others(tmp_path: Path, read):
    for name in ("a", "b"):
        write(tmp_path / name, name)
        find(tmp_path, name)
    assert find(tmp_path, "a", "none", "b") == {name: hash_file(tmp_path / name) for name in "ab"} | {"none": "missing"}
    assert read == ["a", "b"]


def test_what_was_changed_just_now_is_not_trusted_to_stay(tmp_path: Path, read):
    path = tmp_path / "a"
    path.write_text("one")
    status = path.stat()
    first = find(tmp_path, "a")
    path.write_text("two")
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))  # as within one tick of a coarse clock
    assert find(tmp_path, "a") != first


def test_moved_together_nothing_is_read_again(tmp_path: Path, read):
    write(tmp_path / "old/a", "a")
    expected = find(tmp_path / "old", "a")
    (tmp_path / "old").rename(tmp_path / "new")
    assert find(tmp_path / "new", "a") == expected
    assert read == ["a"]


@pytest.mark.parametrize("content", ["", "no JSON", '{"a": 1}'])
def test_a_broken_list_of_hashes_counts_as_empty(tmp_path: Path, read, content: str):
    path = write(tmp_path / "a", "a")
    (tmp_path / "kept.json").write_text(content)
    assert find(tmp_path, "a") == find(tmp_path, "a") == {"a": hash_file(path)}
    assert read == ["a"]


def test_what_was_read_before_an_interruption_is_kept(tmp_path: Path, monkeypatch, read):
    for name in ("a", "b"):
        write(tmp_path / name, name)

    def interrupt(path: Path, report: object) -> str:
        if path.name == "b":
            raise KeyboardInterrupt
        return hash_file(path)

    with monkeypatch.context() as patches, pytest.raises(KeyboardInterrupt):
        patches.setattr(file_hashes, "hash_file", interrupt)
        find(tmp_path, "a", "b")
    find(tmp_path, "a", "b")
    assert read == ["b"]
