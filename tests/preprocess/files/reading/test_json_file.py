import os

import pytest

from preprocess.errors import FileError
from preprocess.files.reading import json_file
from preprocess.files.reading.json_file import read_json


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 1}}', "the key 'c' stands twice"),
        ("[1, NaN]", "NaN is no JSON number"),
        ("[-Infinity]", "-Infinity is no JSON number"),
        ("[1e999]", "the number 1e999 is too large"),
        ("[" * 100_000, "too many brackets within each other"),
        ('{"a": 1', "not valid JSON"),
        ("", "not valid JSON"),
        ("{} {}", "not valid JSON"),
    ],
)
def test_what_json_does_not_allow_is_refused(content, complaint, tmp_path):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FileError, match=complaint) as raised:
        read_json(tmp_path / "a.json")
    assert str(tmp_path / "a.json") in str(raised.value)


def test_values_are_read_with_a_byte_order_mark_or_without(tmp_path):
    for mark in ("", "\ufeff"):
        (tmp_path / "a.json").write_text(mark + '{"a": [1, 2.5, null, "\u00e4"]}', encoding="utf-8")
        assert read_json(tmp_path / "a.json") == {"a": [1, 2.5, None, "\u00e4"]}


def test_other_text_missing_files_and_other_kinds_are_refused(tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"a": "\xe4"}')
    with pytest.raises(FileError, match="not UTF-8"):
        read_json(tmp_path / "a.json")
    with pytest.raises(FileError, match="cannot be read"):
        read_json(tmp_path / "b.json")
    (tmp_path / "a.json").write_text('{"a": "x"}')
    with pytest.raises(FileError, match="not in its form"):
        read_json(tmp_path / "a.json", dict[str, int])
    assert read_json(tmp_path / "a.json", dict[str, str]) == {"a": "x"}


def test_a_file_that_would_fill_the_memory_is_not_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as file:
        os.truncate(file.fileno(), json_file.MAX_BYTES + 1)  # a hole, which takes no room
    with pytest.raises(FileError, match="too long"):
        read_json(tmp_path / "a.json")
