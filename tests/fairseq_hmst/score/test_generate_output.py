"""Outputs of fairseq-generate that are cut, mixed or appended to each other are refused, or mean the same."""

from pathlib import Path

import pytest
from generate_outputs import output_of
from hypothesis import given, settings
from hypothesis import strategies as st

from fairseq_hmst.score.errors import ScoreError
from fairseq_hmst.score.texts import References, read_hypotheses

BEST = ["le chat", "", "D-1 est un chien", "à tous"]
OUTPUT = output_of({2: [BEST[2], "x"], 0: [BEST[0], "y"], 3: [BEST[3], "z"], 1: [BEST[1], BEST[1]]})
SHARDS = [output_of({2: [BEST[2]], 0: [BEST[0]]}), output_of({3: [BEST[3]], 1: [BEST[1]]})]
LINES = OUTPUT.splitlines(keepends=True)
fuzzed = settings(derandomize=True, max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


def read(folder: Path, content: bytes) -> list[str]:
    (folder / "output.txt").write_bytes(content)
    return read_hypotheses(folder / "output.txt", References(folder / "ref.txt", [""] * len(BEST)))


def is_refused_or_the_same(folder: Path, content: bytes) -> bool:
    """Whether it is refused; fails where other hypotheses are read."""
    try:
        assert read(folder, content) == BEST
    except ScoreError as error:
        assert str(error).startswith(str(folder / "output.txt"))
        assert "\n" not in str(error)
        return True
    return False


def test_every_cut_but_within_the_closing_line_is_refused(folder: Path):
    content = OUTPUT.encode()
    end = content.index(b"Generate") + len(b"Generate test with beam=5: ")
    kept = [cut for cut in range(len(content)) if not is_refused_or_the_same(folder, content[:cut])]
    assert kept == list(range(end, len(content)))


@fuzzed
@given(st.data())
def test_lines_left_out_doubled_or_moved_are_refused_or_change_nothing(folder: Path, data: st.DataObject):
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 2))):  # three could be a hypothesis, of which nothing tells
        line = lines.pop(data.draw(st.integers(0, len(lines) - 1)))
        if data.draw(st.booleans()):
            lines.insert(data.draw(st.integers(0, len(lines))), line)
        if data.draw(st.booleans()):
            lines.insert(data.draw(st.integers(0, len(lines))), line)
    is_refused_or_the_same(folder, "".join(lines).encode())


@fuzzed
@given(st.data())
def test_two_runs_that_wrote_into_one_file_at_the_same_time_are_refused(folder: Path, data: st.DataObject):
    mixed, rest = [], [list(LINES), [line.replace("chat", "chien") for line in LINES]]
    while all(rest):
        mixed.append(rest[data.draw(st.integers(0, 1))].pop(0))
    assert is_refused_or_the_same(folder, "".join([*mixed, *rest[0], *rest[1]]).encode())


def test_two_runs_in_one_file_are_named(folder: Path):
    with pytest.raises(ScoreError, match="sentence 2 is translated twice, in the lines 5 and 36: the outputs of two"):
        read(folder, (OUTPUT + OUTPUT).encode())


def test_whole_shards_that_are_joined_are_one_output_and_one_that_was_cut_is_missed(folder: Path):
    assert read(folder, "".join(SHARDS).encode()) == BEST
    for cut in range(len(SHARDS[0].encode()) - 1):
        first = SHARDS[0].encode()[:cut]
        is_refused_or_the_same(folder, first + SHARDS[1].encode())
    with pytest.raises(ScoreError, match="2 hypotheses, 4 references"):
        read(folder, SHARDS[0].encode())


def test_an_output_without_hypotheses_is_not_taken_for_plain_text(folder: Path):
    with pytest.raises(ScoreError, match="was cut, or is not finished: behind line 4 there is no line `Generate"):
        read(folder, "".join(LINES[:4]).encode())
