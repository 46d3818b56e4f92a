"""One run of a stage within a recipe. It must run if its output is not what it would make."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from ..errors import FileError, PreprocessError
from ..files.cards.card import CARD_NAME, DATA_VERSION, Card
from ..files.cards.data_bin_card import DataBinCard
from ..files.cards.file_hashes import FileHashes
from ..files.cards.stage_cards import KmeansCard, ManifestCard, SubwordsCard, UnitsCard
from ..files.cards.units_cards import units_card_path
from ..files.hashing import hash_file
from ..files.manifest import read_manifest
from ..files.reading.escaping import to_json
from ..files.reading.json_file import read_json
from ..files.speeds import ONE_SPEED
from ..files.whole import whole_file

WITHOUT_EFFECT = {"out", "backend", "workers", "scheduler", "max_errors"}  # on the content of an output
# Options that came later: at this value an output is what it was without them, and is kept.
LATER = {"speeds": list(ONE_SPEED)}
CARDS: dict[str, type[Card]] = {
    "manifest": ManifestCard,
    "kmeans": KmeansCard,
    "units": UnitsCard,
    "subwords": SubwordsCard,
    "binarize": DataBinCard,
}


@dataclass(frozen=True)
class Record:
    """Origin of an output, as OUT/.recipe/NAME.json keeps it.

    Attributes:
        inputs: options, and hashes of what lies at those that are paths, by name.
        output: hash of the output; see `Step`.
        format_version: of the file; another one counts as no record.
    """

    inputs: Mapping[str, str]
    output: str
    format_version: Literal[1] = 1

    @classmethod
    def read(cls, path: Path) -> "Record | None":
        """The record in a file; None if there is none that can be read."""
        try:
            return read_json(path, cls)
        except FileError:
            return None

    def write(self, path: Path) -> None:
        """Write the record whole or not at all."""
        content = to_json(msgspec.to_builtins(self), indent=2)
        with whole_file(path) as temporary:
            temporary.write_text(f"{content}\n", encoding="utf-8")


@dataclass(frozen=True)
class Step:
    """A stage and its options; OUT/.recipe/NAME.json records of what its output was made.

    Paths are recorded relative to OUT, so that a recipe, its inputs and OUT can be moved together.

    Attributes:
        name: the stage's; for `units` with the split's behind it.
        stage: one of STAGES.
        options: of the stage, by name with underscores; `out` is where its output goes.
        run_stage: runs the stage with these options.
        out: of the recipe.
    """

    name: str
    stage: str
    options: Mapping[str, object]
    run_stage: Callable[[], None]
    out: Path

    @property
    def output(self) -> Path:
        """Output of the stage."""
        return Path(str(self.options["out"]))

    def reason_to_run(self) -> str:
        """Why the stage must run; "" if its output is what it would make again.

        Raises:
            PreprocessError: an input cannot be read.
        """
        recorded = Record.read(self._record_path)
        if recorded is None:
            return "not done yet"
        inputs, former = self._describe_inputs(), recorded.inputs
        changed = [key for key in sorted(inputs.keys() | former.keys()) if inputs.get(key) != former.get(key)]
        if changed:
            return f"changed: {', '.join(changed)}"
        return "" if recorded.output == self._describe_output() else "its output is missing or was changed"

    def run(self) -> None:
        """Run the stage and record what it was made of."""
        inputs = self._describe_inputs()  # before: what changes while the stage runs is noticed next time
        self.run_stage()
        if self.options.get("fetch"):
            inputs = self._describe_inputs()  # the stage made its own --root
        Record(inputs, self._describe_output()).write(self._record_path)

    @property
    def _record_path(self) -> Path:
        return self.out / ".recipe" / f"{self.name}.json"

    def _describe_inputs(self) -> dict[str, str]:
        """Version, options, and for options that are paths a hash of what lies there."""
        inputs, hashes = {"version": DATA_VERSION}, FileHashes(self.out / ".recipe" / "hashes.json")
        for key, value in self.options.items():
            items = list(value) if isinstance(value, list | tuple) else [value]
            paths = [item for item in items if isinstance(item, Path)]
            if key == "text_model" and isinstance(value, str) and Path(value).is_dir():
                paths = [Path(value)]
            if key in WITHOUT_EFFECT or (key in LATER and list(items) == LATER[key]):
                continue
            if not paths:
                inputs[key] = str(value)
                continue
            inputs[key] = " ".join(os.path.relpath(path, self.out) for path in paths)
            inputs[f"content of {key}"] = self._hash(_files_of(paths, self.out), hashes)
        if self.stage in ("kmeans", "units"):
            rows = read_manifest(Path(str(self.options["manifest"])), check_audio=False)
            audio = {row.audio for row in rows if row.audio is not None}
            inputs["audio"] = self._hash(audio, hashes)
        return inputs

    def _describe_output(self) -> str:
        """Hash of the card and of sizes of the files that it names; "" if the output does not fit its card."""
        output = self.output
        card_path = units_card_path(output) if self.stage == "units" else output / CARD_NAME
        if not card_path.is_file() or not output.exists():
            return ""
        try:
            card = CARDS[self.stage].read_file(card_path)
            card.check_hashes(card_path.parent)
        except PreprocessError:
            return ""
        files = _files_of([output], self.out) if self.stage == "units" else (output / name for name in card.names)
        sizes = "".join(f"{path.name}\t{path.stat().st_size}\n" for path in sorted(files) if path.is_file())
        return hashlib.sha256(f"{hash_file(card_path)}\n{sizes}".encode(errors="surrogateescape")).hexdigest()

    def _hash(self, paths: Iterable[Path], hashes: FileHashes) -> str:
        digest = hashlib.sha256()
        for path, file_hash in sorted(hashes.find(paths, f"{self.name}: look at files").items()):
            digest.update(f"{os.path.relpath(path, self.out)}\t{file_hash}\n".encode(errors="surrogateescape"))
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
