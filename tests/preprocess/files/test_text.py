from pathlib import Path

import pytest

from preprocess.errors import ManifestError
from preprocess.files.text import align_columns, normalise_text, read_parallel


def test_normalising_composes_characters_and_collapses_white_space_only():
    assert normalise_text(" cafe\u0301\u00a0: «\t1 \u202f000 €» ") == "café : « 1 000 €»"
    assert normalise_text("“Oui…” ﬁ ½ Ｗ") == "“Oui…” ﬁ ½ Ｗ"  # NFKC would rewrite these


def write_pair(folder: Path, source: str, target: str) -> tuple[Path, Path]:
    paths = folder / "mt.en", folder / "mt.fr"
    for path, text in zip(paths, (source, target), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def test_parallel_lines_come_in_pairs_with_their_place(tmp_path: Path):
    paths = write_pair(tmp_path, "one\n\n", "un\ndeux\n")
    found = [(source.location, source.text, target.text) for source, target in read_parallel(*paths)]
    assert found == [(f"{paths[0]}:1", "one", "un"), (f"{paths[0]}:2", "", "deux")]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("one\ntwo\nthree\n", "un\ndeux\n", r"mt\.en has 3 lines, .*mt\.fr has 2"),
        ("one\n", "un\ndeux\n", r"mt\.en has 1 lines, .*mt\.fr has 2"),
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
