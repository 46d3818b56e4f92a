"""Cards, the JSON files that say what made an output. By their hashes later stages see what fits together.

Each kind of card is a dataclass; its fields are the keys of the file. A card is read whole or refused: its stage and
its `format_version` are checked, then the type of every field.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import ClassVar, Self

import msgspec

from ...errors import CardError
from ..hashing import check_hashes, hash_file
from ..reading.escaping import to_json

CARD_NAME = "card.json"
DATA_VERSION = "0.3"  # of what units and pieces mean; the last part of a signature


@dataclass(frozen=True, kw_only=True)
class Card:
    """Base of all cards; each kind adds its own `stage`, `format_version` and fields.

    Attributes:
        stage: the command that wrote it.
        format_version: of this kind of card; another one is refused.
        version: of the data, DATA_VERSION.
        hashes: SHA-256 of the output's files by name, with `/` between folders.
    """

    command: ClassVar[str] = ""  # that writes it; "": the stage

    stage: str
    format_version: int
    version: str = DATA_VERSION
    hashes: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read FOLDER/card.json.

        Raises:
            CardError: there is no such card, or it is not of this kind and version.
        """
        path = Path(folder) / CARD_NAME
        if not path.is_file():
            raise CardError(
                f"is not a finished output of the stage '{cls.expected_stage()}': it has no {CARD_NAME}",
                place=folder,
                advice=f"make it by `{cls.made_by()}`",
            )
        return cls.read_file(path)

    @classmethod
    def read_file(cls, path: Path) -> Self:
        """Read a card of any name, such as the FILE.card.json of FILE.units.

        Raises:
            CardError: it is not of this kind and version.
        """
        advice = f"make it again by `{cls.made_by()}`"
        content = cls._read_content(path)
        version = content.get("format_version")
        if version != cls.expected_format():
            raise CardError(
                f"expected format_version {cls.expected_format()}, found {version or 'none'}: another version of "
                "fairseq_hmst wrote it",
                place=path,
                advice=advice,
            )
        try:
            card = msgspec.convert(content, cls, str_keys=True)
        except msgspec.ValidationError as error:
            raise CardError(f"not a card of this form: {error}", place=path, advice=advice) from error
        card._check_names(path)
        return card

    @classmethod
    def expected_stage(cls) -> str:
        """The stage that writes this kind of card."""
        return str(_default_of(cls, "stage"))

    @classmethod
    def expected_format(cls) -> int:
        """The form of this kind of card that this version reads and writes."""
        return int(str(_default_of(cls, "format_version")))

    @classmethod
    def _read_content(cls, path: Path) -> dict[str, object]:
        """What the card of any version holds, but its stage is checked."""
        try:
            content = json.loads(Path(path).read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            advice = f"make it again by `{cls.made_by()}`"
            raise CardError(f"not valid JSON ({error})", place=path, advice=advice) from error
        stage = content.get("stage") if isinstance(content, dict) else None
        if stage != cls.expected_stage():
            found = f"'{stage}'" if isinstance(content, dict) else f"a JSON {type(content).__name__}"
            raise CardError(f"expected the card of stage '{cls.expected_stage()}', found {found}", place=path)
        return {**content}

    @classmethod
    def made_by(cls) -> str:
        """The command that writes this kind of card."""
        return cls.command or f"hmst preprocess {cls.expected_stage()}"

    def write(self, folder: Path) -> None:
        """Write FOLDER/card.json; call it last inside `whole_folder`."""
        self.write_file(Path(folder) / CARD_NAME)

    def write_file(self, path: Path) -> None:
        """Write the card as a file of any name."""
        content = msgspec.to_builtins(self, str_keys=True)
        Path(path).write_text(to_json(content, indent=2) + "\n", encoding="utf-8")

    @property
    def names(self) -> frozenset[str]:
        """Names of all files of the output, the card's among them, with `/` between folders."""
        return self.names_in(msgspec.to_builtins(self, str_keys=True))

    @classmethod
    def names_in(cls, content: Mapping[str, object]) -> frozenset[str]:
        """The same of the content of a card that may be of another version."""
        hashes = content.get("hashes")
        return frozenset({CARD_NAME, *(hashes if isinstance(hashes, dict) else ())})

    @classmethod
    def find_foreign(cls, folder: Path) -> list[str]:
        """What lies in the folder of an output, of any version, and is not of the output.

        Returns:
            Files and links by name, and folders as `NAME/`.

        Raises:
            CardError: it has no card of this kind.
        """
        own = cls.names_in(cls._read_content(folder / CARD_NAME))
        own_folders = {str(parent) for name in own for parent in PurePosixPath(name).parents}
        found: list[str] = []
        for place, folders, files in os.walk(folder):
            here = PurePosixPath(os.path.relpath(place, folder))
            found += [name for name in (str(here / file) for file in files) if name not in own]
            links = {name for name in folders if Path(place, name).is_symlink()}
            foreign = {name for name in folders if name in links or str(here / name) not in own_folders}
            found += [f"{here / name}/" for name in foreign]
            folders[:] = [name for name in folders if name not in foreign]
        return sorted(found)

    def copy_files(self, source: Path, target: Path) -> None:
        """Copy the files of the output in `source` to a new folder, and nothing else that lies there."""
        for name in sorted(self.names):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)

    def check_hashes(self, folder: Path) -> None:
        """Compare the files in `folder` with the card.

        Raises:
            MismatchError: a file is missing, or has changed since the card was written.
        """
        check_hashes(folder, self.hashes)

    def _check_names(self, path: Path) -> None:
        for name in self.hashes:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or name in ("", "."):
                raise CardError(f"names a file outside its folder: '{name}'", place=path, advice="do not use it")


def hash_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of files by name, for the `hashes` of a card."""
    return {name: hash_file(folder / name) for name in names}


def _default_of(kind: type[Card], name: str) -> object:
    return next(field.default for field in fields(kind) if field.name == name)
