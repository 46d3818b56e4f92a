"""Truth: what the csv module of Python writes, and rows that the tests wrote themselves."""

import csv
import itertools
import re
from pathlib import Path

import pytest

from preprocess.errors import ManifestError
from preprocess.files.reading.table import read_table


def write(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def test_a_row_at_fault_says_so_when_its_fields_are_asked_for(tmp_path: Path):
    path = write(
        tmp_path / "t.tsv", b"id\taudio\ttext", b"a\tb", b"c\tx\xe4.wav\tok", b"d\tx.wav\tcaf\xe9", b"e\tf\tg\th"
    )
    few, good, latin, many = read_table(path, ("id",), exact=False)
    assert good.fields == {"id": "c", "audio": "x\udce4.wav", "text": "ok"}  # names of files may have any bytes
    for row, message in (
        (few, "t.tsv:2: expected 3 tab-separated fields .*, found 2"),
        (latin, "t.tsv:4: expected UTF-8, found the byte 0xE9"),
        (many, "t.tsv:5: expected 3 tab-separated fields .*, found 4"),
    ):
        with pytest.raises(ManifestError, match=message):
            _ = row.fields
    assert [row.known["id"] for row in (few, latin, many)] == ["a", "d", "e"]


def test_rows_of_tabs_alone_are_rows_at_the_end_too(tmp_path: Path):
    path = write(tmp_path / "t.tsv", b"id\taudio\ttext", b"a\tb\tc", b"\t\t", b"\t", b"", b" ")
    _, empty, few = read_table(path, ("id",), exact=False)
    assert empty.fields == {"id": "", "audio": "", "text": ""}
    assert few.location == f"{path}:4" and few.fault is not None


def test_escapes_are_those_of_the_csv_module(tmp_path: Path):
    path = tmp_path / "t.tsv"
    texts = ["".join(parts) for parts in itertools.product(["\t", "\n", "\\", '"', "a", ""], repeat=3)]
    with open(path, "w", encoding="utf-8", newline="") as file:
        form = {"delimiter": "\t", "quoting": csv.QUOTE_NONE, "escapechar": "\\", "lineterminator": "\n"}
        csv.writer(file, **form).writerows([["one", "two", "three"], *([text, "x", text] for text in texts)])
    rows = [row.fields for row in read_table(path, ("one",), exact=False, escapes=True)]
    assert len(rows) == len(texts)
    for row, text in zip(rows, texts, strict=True):
        assert (row["one"], row["two"]) == (row["three"], "x")
        assert re.sub(r"\\(.)", r"\1", row["one"], flags=re.DOTALL) == text


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "t.tsv: is empty"),
        ((b"id\tx",), "t.tsv:1: there is a header but no row below it"),
        ((b"x\ty", b"1\t2"), "t.tsv:1: expected at least the columns id"),
        ((b"id\tid", b"1\t2"), "t.tsv:1: each column must stand once"),
    ],
)
def test_without_header_and_rows_there_is_no_table(tmp_path: Path, lines: tuple[bytes, ...], message: str):
    with pytest.raises(ManifestError, match=message):
        list(read_table(write(tmp_path / "t.tsv", *lines), ("id",), exact=False))
