"""One command of the road, and the record by which it is not run again."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from preprocess.errors import UserError
from preprocess.files.hashing import hash_file
from preprocess.files.whole import whole_file


class RoadError(UserError):
    """A command of the road failed, or cannot go on from what an earlier run left."""


@dataclass(frozen=True)
class RoadRecord:
    """Origin of what a step made, as SAVE_DIR/.road/NAME.json keeps it.

    Attributes:
        command: words of the command line.
        inputs: hash of each file that it read.
        outputs: hash of each file that it wrote.
        format_version: of the file; another one counts as no record.
    """

    command: tuple[str, ...]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    format_version: Literal[1] = 1

    @classmethod
    def read(cls, path: Path) -> "RoadRecord | None":
        """The record in a file; None if there is none that can be read."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, ValueError):
            return None

    def write(self, path: Path) -> None:
        """Write the record whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(msgspec.to_builtins(self), indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class RoadStep:
    """One subcommand of `hmst` within the road.

    Attributes:
        name: of the subcommand.
        words: its options.
        run: its `main`.
        inputs: files that it reads.
        outputs: finds the files that it has written.
        folder: of the records.
    """

    name: str
    words: tuple[str, ...]
    run: Callable[[list[str]], int]
    inputs: Sequence[Path]
    outputs: Callable[[], Iterable[Path]]
    folder: Path

    @property
    def record_path(self) -> Path:
        """File of its record."""
        return self.folder / ".road" / f"{self.name}.json"

    def is_done(self) -> bool:
        """Whether the same command has made what is there of what is there."""
        record = RoadRecord.read(self.record_path)
        return (
            record is not None
            and record.command == self.words
            and record.inputs == _hashes(self.inputs)
            and bool(record.outputs)
            and record.outputs == _hashes(map(Path, record.outputs))
        )

    def make(self) -> None:
        """Run the command and record it.

        Raises:
            RoadError: it ended with another exit status than 0.
            KeyboardInterrupt: it was interrupted.
        """
        inputs = _hashes(self.inputs)
        status = self.run([*self.words])
        if status == INTERRUPTED:
            raise KeyboardInterrupt
        if status:
            raise RoadError(f"`hmst {self.name}` ended with exit status {status}", advice="mend it and run again")
        RoadRecord(self.words, inputs, _hashes(self.outputs())).write(self.record_path)


INTERRUPTED = 130


def _hashes(paths: Iterable[Path]) -> dict[str, str]:
    return {str(path): hash_file(path) if path.is_file() else "missing" for path in paths}
