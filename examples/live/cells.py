"""A cell of the measurement: one model, one setting, one set of recordings, translated live and scored.

A finished cell is a folder with a log of each recording, as of `hmst live --format jsonl`, and result.json, which says
what it was made of; it is not run again unless that has changed.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from settings import Setting

from fairseq_hmst.live.formats import JsonLines
from fairseq_hmst.live.sources import recording_pieces, recording_rate
from fairseq_hmst.live.translator import LiveTranslator
from fairseq_hmst.score.live import LiveReferences, score_live
from fairseq_hmst.translate.open_model import OpenModel

PIECE_SECONDS = 0.02  # of sound that is heard at once, as by `hmst live`

Result = dict[str, Any]  # a line of results.jsonl: what the cell is, its scores, what it was made of


@dataclass(frozen=True)
class Recordings:
    """Recordings of a split with their references, as compose_recordings.py writes them.

    Attributes:
        folder: of the split.
        language: of the references.
    """

    folder: Path
    language: str

    @property
    def split(self) -> str:
        """Name of the split."""
        return self.folder.name

    @property
    def paths(self) -> list[Path]:
        """All recordings, in order."""
        names = (self.folder / "recordings.txt").read_text(encoding="utf-8").split()
        return [self.folder / name for name in names]

    @property
    def references(self) -> tuple[Path, Path]:
        """Segments, and their translations."""
        return self.folder / "references.yaml", self.folder / f"references.{self.language}.txt"


@dataclass(frozen=True)
class Cell:
    """One measurement: a model, a recording set and a setting.

    Attributes:
        out: folder of all cells.
        family: of the model; its folder's name.
        model: its folder.
        recordings: that it translates.
        setting: of the translator.
    """

    out: Path
    family: str
    model: Path
    recordings: Recordings
    setting: Setting

    @property
    def folder(self) -> Path:
        """Folder of the cell."""
        return self.out / self.recordings.split / self.family / self.setting.name

    @property
    def title(self) -> str:
        """The cell in words."""
        return f"{self.recordings.split}, {self.family}: {self.setting.name}"

    def finished(self) -> Result | None:
        """Its result; None where it has none, or model, recordings or references have changed since."""
        path = self.folder / "result.json"
        if not path.is_file():
            return None
        result: Result = json.loads(path.read_text(encoding="utf-8"))
        return result if result["made_of"] == self._hashes() else None

    def run(self, model: OpenModel) -> Result:
        """Translate and score; the folder appears when it is whole."""
        partial = self.folder.with_name(f"{self.folder.name}.partial")
        for folder in (partial, self.folder):
            shutil.rmtree(folder, ignore_errors=True)
        partial.mkdir(parents=True)
        start = time.monotonic()
        logs = [self._translate(model, path, partial) for path in self.recordings.paths]
        seconds = time.monotonic() - start
        score = score_live(logs, LiveReferences.read(*self.recordings.references), self.recordings.language)
        result = {
            "split": self.recordings.split,
            "family": self.family,
            **asdict(self.setting),
            **json.loads(score.as_json()),
            "spent_seconds": round(seconds, 1),
            "made_of": self._hashes(),
        }
        (partial / "result.json").write_text(json.dumps(result, indent=2, ensure_ascii=False), encoding="utf-8")
        partial.rename(self.folder)
        return result

    def _translate(self, model: OpenModel, recording: Path, folder: Path) -> Path:
        """Write the log of a recording."""
        translator = LiveTranslator(model, self.setting.options(recording_rate(recording)))
        log = folder / f"{recording.stem}.jsonl"
        with log.open("w", encoding="utf-8") as file:
            writer = JsonLines(file)
            for piece in recording_pieces(recording, PIECE_SECONDS):
                update = translator.feed(piece)
                if update.num_decisions:
                    writer.add(update)
            writer.add(translator.finish())
        return log

    def _hashes(self) -> dict[str, str]:
        card = self.model / "card.json"  # has the hash of every other file
        inputs = {"model": [card], "references": self.recordings.references, "recordings": self.recordings.paths}
        return {name: _hash(paths) for name, paths in inputs.items()}


def _hash(paths: "list[Path] | tuple[Path, ...]") -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_results(path: Path) -> Iterator[Result]:
    """Lines of results.jsonl."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
