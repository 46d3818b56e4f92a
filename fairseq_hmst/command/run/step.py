"""One command of the road, and the record by which it is not run again."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from preprocess.errors import UserError, end_as
from preprocess.files.cards.file_hashes import FileHashes
from preprocess.recipe.step import Record


class RoadError(UserError):
    """A command of the road failed, or cannot go on from what an earlier run left."""


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

    def is_done(self) -> bool:
        """Whether the same command has made what is there of what is there."""
        record = Record.read(self._record_path)
        if record is None or record.inputs != self._describe_inputs():
            return False
        return record.output == self._describe_outputs()

    def make(self) -> None:
        """Run the command and record it.

        Raises:
            RoadError: it ended with another exit status than 0.
            KeyboardInterrupt: it was interrupted.
            StandardStreamError: nobody reads stdout.
        """
        inputs = self._describe_inputs()
        status = self.run([*self.words])
        end_as(status)
        if status:
            raise RoadError(f"`hmst {self.name}` ended with exit status {status}", advice="mend it and run again")
        self._record_path.parent.mkdir(parents=True, exist_ok=True)
        Record(inputs, self._describe_outputs()).write(self._record_path)

    @property
    def _record_path(self) -> Path:
        return self.folder / ".road" / f"{self.name}.json"

    def _describe_inputs(self) -> dict[str, str]:
        return {"command": shlex.join(self.words), **self._hashes(self.inputs)}

    def _describe_outputs(self) -> str:
        return "\n".join(f"{name}\t{found}" for name, found in self._hashes(self.outputs()).items())

    def _hashes(self, paths: Iterable[Path]) -> dict[str, str]:
        folder = self.folder / ".road"
        folder.mkdir(parents=True, exist_ok=True)
        hashes = FileHashes(folder / "hashes.json").find(paths, f"{self.name}: files")
        return {str(path): hashes[path] for path in sorted(hashes)}
