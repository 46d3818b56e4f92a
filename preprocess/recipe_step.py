"""One run of one stage within a recipe, and whether its output on disk is what it would make again."""

import argparse
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .card import CARD_NAME, VERSION, check_hashes, hash_file, parse_card
from .errors import PreprocessError
from .manifest import read_manifest
from .outputs import whole_file
from .provenance import units_card_path

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".sph", ".gsm", ".aiff"}
WITHOUT_EFFECT = {"out", "backend", "workers", "scheduler", "max_errors"}  # on the content of an output
LARGEST_HASHED = 64 * 2**20  # bytes; of audio and larger files, size and time of change stand for the content


@dataclass(frozen=True)
class Step:
    """A stage and its arguments; OUT/.recipe/NAME.json records of what its output was made.

    Paths are recorded relative to OUT, so that a recipe, its inputs and OUT can be moved together.
    """

    name: str  # the stage's, for `units` with the split's behind it
    stage: str
    arguments: argparse.Namespace
    run_stage: Callable[[argparse.Namespace], None]
    out: Path  # of the recipe

    def reason_to_run(self) -> str:
        """Why the stage must run; "" if its output is what it would make again.

        Raises:
            PreprocessError: an input cannot be read.
        """
        try:
            recorded = json.loads(self._record_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return "not done yet"
        inputs = self._describe_inputs()
        changed = [
            key for key in sorted(inputs.keys() | recorded["inputs"]) if inputs.get(key) != recorded["inputs"].get(key)
        ]
        if changed:
            return f"changed: {', '.join(changed)}"
        return "" if recorded["output"] == self._describe_output() else "its output is missing or was changed"

    def run(self) -> None:
        """Run the stage and record what it was made of."""
        inputs = self._describe_inputs()  # before: what changes while the stage runs is noticed next time
        self.run_stage(self.arguments)
        if getattr(self.arguments, "fetch", False):
            inputs = self._describe_inputs()  # the stage made its own --root
        record = {"inputs": inputs, "output": self._describe_output()}
        with whole_file(self._record_path) as temporary:
            temporary.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

    @property
    def _record_path(self) -> Path:
        return self.out / ".recipe" / f"{self.name}.json"

    def _describe_inputs(self) -> dict[str, str]:
        """Version, options, and for options that are paths a hash of what lies there."""
        inputs = {"version": VERSION}
        for key, value in vars(self.arguments).items():
            paths = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Path)]
            if key in WITHOUT_EFFECT:
                continue
            if not paths:
                inputs[key] = str(value)
                continue
            inputs[key] = " ".join(os.path.relpath(path, self.out) for path in paths)
            inputs[f"content of {key}"] = self._hash(_files_of(paths, self.out))
        if self.stage in ("kmeans", "units"):
            rows = read_manifest(self.arguments.manifest, check_audio=False)
            audio = {row.audio for row in rows if row.audio is not None}
            inputs["audio"] = self._hash(audio)
        return inputs

    def _describe_output(self) -> str:
        """Hash of the card and of names and sizes of all files; "" if the output does not fit its card."""
        output: Path = self.arguments.out
        card_path = units_card_path(output) if self.stage == "units" else output / CARD_NAME
        if not card_path.is_file() or not output.exists():
            return ""
        try:
            check_hashes(card_path.parent, parse_card(card_path, self.stage))
        except PreprocessError:
            return ""
        sizes = "".join(f"{path.name}\t{path.stat().st_size}\n" for path in sorted(_files_of([output], self.out)))
        return hashlib.sha256(f"{hash_file(card_path)}\n{sizes}".encode()).hexdigest()

    def _hash(self, paths: Iterable[Path]) -> str:
        digest = hashlib.sha256()
        for path in sorted(paths):
            digest.update(f"{os.path.relpath(path, self.out)}\t{_describe_file(path)}\n".encode())
        return digest.hexdigest()


def _files_of(paths: Iterable[Path], out: Path) -> Iterator[Path]:
    """Files, files in folders, and cards of units files; not hidden ones, nor the recipe's outputs in a raw release."""
    for path in paths:
        if path.is_dir():
            holds_out = path.resolve() in out.resolve().parents
            for file in path.rglob("*"):
                is_hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
                if (
                    file.is_file()
                    and not is_hidden
                    and not (holds_out and file.resolve().is_relative_to(out.resolve()))
                ):
                    yield file
        else:
            yield path
            if path.suffix == ".units" and units_card_path(path).is_file():
                yield units_card_path(path)


def _describe_file(path: Path) -> str:
    if not path.is_file():
        return "missing"
    status = path.stat()
    if path.suffix.lower() in AUDIO_SUFFIXES or status.st_size > LARGEST_HASHED:
        return f"{status.st_size} {status.st_mtime_ns}"
    return hash_file(path)
