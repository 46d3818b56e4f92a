from pathlib import Path

import pytest

from preprocess.journal import Journal, JournalEntry

ENTRIES = [JournalEntry(f"u{index}", f"{index}.wav", [index, index + 1], 10 + index, 0.1 * index) for index in range(6)]
BATCHES = [ENTRIES[:2], ENTRIES[2:3], ENTRIES[3:5]]
UTTERANCES = [(entry.id, entry.source) for entry in ENTRIES]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three batches, five utterances."""
    with Journal(tmp_path / "journal", {"a": 1}) as journal:
        assert journal.resume(UTTERANCES) == 0
        for batch in BATCHES:
            journal.append(batch)
    return tmp_path / "journal"


def resume(path: Path, utterances: list = UTTERANCES, header: dict | None = None) -> tuple[int, list[JournalEntry]]:
    with Journal(path, header or {"a": 1}) as journal:
        return journal.resume(utterances), list(journal.entries())


def test_a_whole_journal_goes_on_behind_its_last_batch(path: Path):
    before = path.read_bytes()
    assert resume(path) == (5, ENTRIES[:5])
    assert path.read_bytes() == before
    with Journal(path, {"a": 1}) as journal:
        journal.resume(UTTERANCES)
        journal.append(ENTRIES[5:])
    assert resume(path) == (6, ENTRIES)


def test_cut_anywhere_it_goes_on_behind_the_last_whole_batch(path: Path):
    content = path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(content) if byte == ord("\n")]
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        num_batches = max(sum(end <= length for end in ends) - 1, 0)
        expected = [entry for batch in BATCHES[:num_batches] for entry in batch]
        assert resume(path) == (len(expected), expected)


def test_another_header_starts_anew(path: Path):
    assert resume(path, header={"a": 2}) == (0, [])


def test_entries_are_kept_up_to_the_first_batch_that_does_not_agree(path: Path):
    moved = [*UTTERANCES[:2], ("u2", "elsewhere.wav"), *UTTERANCES[3:]]
    assert resume(path, moved) == (2, ENTRIES[:2])


def test_a_manifest_that_ends_within_a_batch_drops_it(path: Path):
    assert resume(path, UTTERANCES[:4]) == (3, ENTRIES[:3])


@pytest.mark.parametrize("damage", [b"\0" * 50 + b"\n", b"[1, 2]\n", b"{}\n", b'[{"id": "u5"}]\n', b"[]\n", b"\xff\n"])
def test_damaged_lines_are_dropped(path: Path, damage: bytes):
    path.write_bytes(path.read_bytes() + damage)
    assert resume(path) == (5, ENTRIES[:5])


def test_append_before_resume_is_an_error(tmp_path: Path):
    with pytest.raises(ValueError, match="call resume"):
        Journal(tmp_path / "journal", {}).append(ENTRIES[:1])


def test_remove_leaves_nothing_and_may_be_repeated(path: Path):
    for _ in range(2):
        Journal(path, {"a": 1}).remove()
        assert not path.exists()
