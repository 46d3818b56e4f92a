from pathlib import Path

import numpy as np
import pytest

from preprocess.errors import UnitsError
from preprocess.files.units import (
    MAX_UNITS,
    deduplicate,
    expand,
    format_units,
    read_units,
    text_to_units,
    units_to_text,
)


@pytest.mark.parametrize(
    ("units", "deduplicated", "run_lengths"),
    [
        ([], [], []),
        ([7], [7], [1]),
        ([0, 0, 0], [0], [3]),
        ([5, 5, 2, 5, 5, 5], [5, 2, 5], [2, 1, 3]),
    ],
)
def test_deduplicate_gives_runs(units, deduplicated, run_lengths):
    found_units, found_lengths = deduplicate(units)
    assert found_units.tolist() == deduplicated
    assert found_lengths.tolist() == run_lengths


def test_expand_is_the_inverse_of_deduplicate_and_no_neighbours_stay_equal():
    random = np.random.default_rng(0)
    for length in range(40):
        units = random.integers(0, 3, size=length)
        deduplicated, run_lengths = deduplicate(units)
        assert np.array_equal(expand(deduplicated, run_lengths), units)
        assert not np.any(deduplicated[1:] == deduplicated[:-1])
        assert run_lengths.sum() == length


def test_every_unit_is_one_private_use_character_and_comes_back():
    units = list(range(MAX_UNITS))
    text = units_to_text(units)
    assert len(set(text)) == len(text) == MAX_UNITS == 65534
    assert all(0xF0000 <= ord(character) <= 0xFFFFD for character in text)
    assert text_to_units(text) == units


@pytest.mark.parametrize("unit", [-1, MAX_UNITS])
def test_a_unit_out_of_range_is_refused(unit):
    with pytest.raises(UnitsError, match=f"0..65533, got {unit}"):
        units_to_text([3, unit])


def test_a_character_that_is_no_unit_is_refused():
    with pytest.raises(UnitsError, match=r"character 1 .*'a' \(U\+0061\)"):
        text_to_units(units_to_text([3]) + "a")


def test_units_file_comes_back(tmp_path: Path):
    utterances = [("a b", [1, 2, 1]), ("c\u2028d", [65533])]
    path = tmp_path / "x.units"
    path.write_text("".join(format_units(name, units) for name, units in utterances), encoding="utf-8")
    assert list(read_units(path)) == utterances
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read_units(path)) == utterances


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no units"),
        ("a\t1 2\nb 1 2\n", ":2: expected `id<TAB>"),
        ("a\t1 2\n\nb\t1\n", ":2: expected `id<TAB>"),
        ("\t1 2\n", ":1: expected `id<TAB>"),
        ("a\t1\t2\n", ":1: expected `id<TAB>"),
        ("a\t1 x\n", ":1: units of 'a' must be whole numbers"),
        ("a\t\n", ":1: 'a' has no units"),
        ("a\t1\nb\t-1\n", ":2: units of 'b' must lie in 0..65533"),
        ("a\t65534\n", ":1: units of 'a' must lie in 0..65533"),
        ("a\t1\nb\t2\na\t3\n", ":3: id 'a' stands in line 1 already"),
        ("a\t1 2 2\n", r":1: 'a' is not deduplicated: unit 2 .*positions 2 and 3"),
    ],
)
def test_a_bad_units_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str):
    path = tmp_path / "x.units"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnitsError, match=f"x.units.*{message}"):
        list(read_units(path))


def test_a_missing_or_binary_units_file_is_refused(tmp_path: Path):
    with pytest.raises(UnitsError, match="cannot be read"):
        list(read_units(tmp_path / "none.units"))
    (tmp_path / "x.units").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnitsError, match="cannot be read"):
        list(read_units(tmp_path / "x.units"))
