"""Tables of origins: what is written is read back, and what is no table is refused."""

from pathlib import Path

import pytest

from preprocess.errors import MismatchError
from preprocess.files.origin import ORIGIN_COLUMNS, Origin, read_origins

HEADER = "\t".join(ORIGIN_COLUMNS) + "\n"
GOOD = "u1\t1.5\tanna\ten\tfr\n"


def test_what_is_written_is_read_back(tmp_path: Path):
    origins = [
        Origin('"a quote', "en", "fr", 1 / 3, "anna"),
        Origin("a\u2028separator \x1c", "en", "de-AT"),
        Origin("more.en:7", "", ""),
    ]
    path = tmp_path / "train.st.origin.tsv"
    path.write_text(HEADER + "".join(origin.as_line() for origin in origins), encoding="utf-8")
    found = list(read_origins(path))
    assert found[0].seconds == pytest.approx(1 / 3)
    assert [(found[0].id, found[0].speaker), *found[1:]] == [('"a quote', "anna"), *origins[1:]]


def test_the_name_of_a_file_cannot_break_the_table(tmp_path: Path):
    origin = Origin("a\tb\nc\rd\udce4\\.en:1", "en", "fr")
    assert origin.as_line() == "a\\tb\\nc\\rd\\udce4\\\\.en:1\t\t\ten\tfr\n"
    path = tmp_path / "train.st.origin.tsv"
    path.write_text(HEADER + origin.as_line(), encoding="utf-8")
    assert list(read_origins(path)) == [origin]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD, r"origin\.tsv:1: has changed since it was made: expected the columns id, seconds"),
        (f"{HEADER}{GOOD}u2\t1.5\n", r"origin\.tsv:3: has changed"),
        (f"{HEADER}u1\tlong\tanna\ten\tfr\n", r"origin\.tsv:2: has changed .*'long'; make the data-bin again"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, content: str, message: str):
    path = tmp_path / "train.st.origin.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(MismatchError, match=message):
        list(read_origins(path))
