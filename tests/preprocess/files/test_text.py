from pathlib import Path

import pytest

from preprocess.errors import ManifestError
from preprocess.files.text import align_columns, normalise_text, read_parallel, read_text


def test_normalising_composes_characters_and_collapses_white_space_only():
    assert normalise_text(" cafe\u0301\u00a0: «\t1 \u202f000 €» ") == "café : « 1 000 €»"
    assert normalise_text("“Oui…” ﬁ ½ Ｗ") == "“Oui…” ﬁ ½ Ｗ"  # NFKC would rewrite these


def test_lines_end_at_line_feeds_only(tmp_path: Path):
    path = tmp_path / "text"
    path.write_bytes("\ufeffa\u2028b\r\nc\rd\n\ne".encode())
    assert list(read_text(path)) == [(1, "a b"), (2, "c d"), (3, ""), (4, "e")]


def test_missing_and_undecodable_files_are_named(tmp_path: Path):
    with pytest.raises(ManifestError, match=r"none: cannot be read: No such file"):
        list(read_text(tmp_path / "none"))
    (tmp_path / "latin").write_bytes("gut\nschön\n".encode("latin-1"))
    with pytest.raises(ManifestError, match=r"latin:2: expected UTF-8, found the byte 0xF6"):
        list(read_text(tmp_path / "latin"))


def write_pair(folder: Path, source: str, target: str) -> tuple[Path, Path]:
    paths = folder / "mt.en", folder / "mt.fr"
    for path, text in zip(paths, (source, target), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def test_parallel_lines_come_in_pairs_with_their_place(tmp_path: Path):
    paths = write_pair(tmp_path, "one\ntwo", "un\ndeux\n")
    assert list(read_parallel(*paths)) == [(f"{paths[0]}:1", "one", "un"), (f"{paths[0]}:2", "two", "deux")]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("one\ntwo\nthree\n", "un\ndeux\n", r"mt\.en has 3 lines, .*mt\.fr has 2"),
        ("one\n", "un\ndeux\n", r"mt\.en has 1 lines, .*mt\.fr has 2"),
        ("one\ntwo\n", "un\n \t\n", r"mt\.fr:2: the line is empty"),
        ("one\n\n", "un\ndeux\n", r"mt\.en:2: the line is empty"),
        ("", "", r"mt\.en and .*mt\.fr are empty"),
    ],
)
def test_files_that_are_not_parallel_are_refused(tmp_path: Path, source: str, target: str, message: str):
    with pytest.raises(ManifestError, match=message):
        list(read_parallel(*write_pair(tmp_path, source, target)))


def test_columns_of_a_table_are_aligned_at_the_right():
    rows = [("split", "rows"), ("train", "12"), ("dev", "3456789")]
    assert align_columns(rows) == ["split     rows", "train       12", "  dev  3456789"]
    assert align_columns([]) == []
    with pytest.raises(ValueError, match="zip"):
        align_columns([("split", "rows"), ("train",)])
