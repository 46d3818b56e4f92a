import gzip
import os
from pathlib import Path

import pytest

from preprocess.errors import ManifestError
from preprocess.files.reading.lines import check_utf8, lines_of, read_lines


def texts(path: Path) -> list[str]:
    return [line.text for line in read_lines(path)]


def test_lines_end_at_line_feeds_only(tmp_path: Path):
    path = tmp_path / "text"
    path.write_bytes("\ufeffa\u2028b\r\nc\rd\n\ne".encode())
    assert [(line.location, line.text) for line in read_lines(path)] == [
        (f"{path}:1", "a\u2028b"),
        (f"{path}:2", "c\rd"),
        (f"{path}:3", ""),
        (f"{path}:4", "e"),
    ]


@pytest.mark.parametrize("end", ["\r", "", "\n", "\r\n"])
def test_a_file_of_an_old_mac_has_lines_too(tmp_path: Path, end: str):
    path = tmp_path / "text"
    path.write_bytes(f"\ufeffone\rtwo\r\rthree{end}".encode())
    assert texts(path) == ["one", "two", "", "three"]
    path.write_bytes(b"one\r\n")
    assert texts(path) == ["one"]


def test_gzip_is_known_by_its_content(tmp_path: Path):
    for name in ("a.txt.gz", "a.txt"):
        (tmp_path / name).write_bytes(gzip.compress("\ufeffeins\nzwei".encode()))
        assert texts(tmp_path / name) == ["eins", "zwei"]
    (tmp_path / "plain.gz").write_bytes(b"one\ntwo\n")
    assert texts(tmp_path / "plain.gz") == ["one", "two"]
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"one\n" * 1000)[:-9])
    with pytest.raises(ManifestError, match=r"cut\.gz: cannot be read: Compressed file ended"):
        texts(tmp_path / "cut.gz")


def test_a_line_in_another_encoding_is_its_own_fault(tmp_path: Path):
    path = tmp_path / "latin"
    path.write_bytes(b"gut\nsch\xf6n\nwieder gut\n")
    first, second, third = read_lines(path)
    assert (first.text, third.text) == ("gut", "wieder gut")
    assert second.raw_text == "sch\udcf6n"
    with pytest.raises(ManifestError, match=r"latin:2: expected UTF-8, found the byte 0xF6"):
        _ = second.text


def test_a_line_of_a_terminal_is_there_before_the_next_one_is_typed():
    reading, writing = os.pipe()
    with open(reading, "rb") as terminal, open(writing, "wb", buffering=0) as keyboard:
        lines = lines_of(terminal, "stdin")
        for number, text in enumerate(("\ufeffone", "two"), start=1):
            keyboard.write(f"{text}\n".encode())
            line = next(lines)
            assert (line.location, line.text) == (f"stdin:{number}", text.removeprefix("\ufeff"))


def test_text_that_was_not_utf8_is_known_by_its_bytes(tmp_path: Path):
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    (line,) = read_lines(tmp_path / "latin")
    with pytest.raises(ManifestError, match="expected UTF-8, found the byte 0xE9; convert the file"):
        check_utf8(line.raw_text)
    assert check_utf8("café") == "café"
