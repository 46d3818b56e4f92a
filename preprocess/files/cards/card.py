"""Cards, the JSON files that say what made an output. By their hashes later stages see what fits together.

Each kind of card is a dataclass; its fields are the keys of the file. A card is read whole or refused: its stage and
its `format_version` are checked, then that it is the card that was written (its own hash), the type of every field, the
names in it, and the sizes of the files that it names. Hashes of these are compared where they are about to be read.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePosixPath
from typing import ClassVar, Self

import msgspec

from ...errors import CardError, FileError, MismatchError
from ..hashing import hash_all, hash_text
from ..reading.escaping import to_json
from ..reading.json_file import read_json
from .named_files import COPY_AGAIN, HashFinder, NamedFiles, check_hashes, check_names, check_sizes, copy_files

CARD_NAME = "card.json"
OWN_HASH = "card_hash"
DATA_VERSION = "0.3"  # of what units and pieces mean; the last part of a signature


@dataclass(frozen=True, kw_only=True)
class Card:
    """Base of all cards; each kind adds its own `stage`, `format_version` and fields.

    Attributes:
        stage: the command that wrote it.
        format_version: of this kind of card; another one is refused.
        version: of the data, DATA_VERSION.
        hashes: sizes and SHA-256 of the output's files by name, with `/` between folders.
        card_hash: SHA-256 of the card without this entry; whoever writes it adds it.
    """

    command: ClassVar[str] = ""  # that writes it; "": the stage
    needed: ClassVar[tuple[str, ...]] = ()  # files that every card of the kind names

    stage: str
    format_version: int
    version: str = DATA_VERSION
    hashes: NamedFiles
    card_hash: str = field(default="", compare=False)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read FOLDER/card.json.

        Raises:
            CardError: there is no such card, or it is not of this kind and version.
            MismatchError: the card, or the size of a file that it names, has changed since it was written.
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
        """Read a card of any name, such as the FILE.card.json of FILE.units; raises as `read` does."""
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
        # of the file and not of a card, which has no entries but those that this version knows
        if not _has_own_hash(content):
            raise MismatchError(
                "has changed since it was written: its own hash is another", place=path, advice=COPY_AGAIN
            )
        try:
            card = msgspec.convert(content, cls, str_keys=True)
        except msgspec.ValidationError as error:
            raise CardError(f"not a card of this form: {error}", place=path, advice=advice) from error
        check_names(card.all_names(), path)
        missing = [name for name in cls.needed_by(path) if name not in card.hashes]
        if missing:
            raise CardError(f"does not name {', '.join(missing)}", place=path, advice=advice)
        check_sizes(Path(path).parent, card.hashes)
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
        """Content of the card of any version, once its stage was checked."""
        content = _read_json(path, f"make it again by `{cls.made_by()}`")
        stage = content.get("stage") if isinstance(content, dict) else None
        if stage != cls.expected_stage():
            found = f"'{stage}'" if isinstance(content, dict) else f"a JSON {type(content).__name__}"
            raise CardError(f"expected the card of stage '{cls.expected_stage()}', found {found}", place=path)
        return content if isinstance(content, dict) else {}

    @classmethod
    def needed_by(cls, path: Path) -> tuple[str, ...]:
        """Files that the card at `path` must name."""
        return cls.needed

    @classmethod
    def made_by(cls) -> str:
        """The command that writes this kind of card."""
        return cls.command or f"hmst preprocess {cls.expected_stage()}"

    def write(self, folder: Path) -> None:
        """Write FOLDER/card.json; call it last inside `whole_folder`."""
        self.write_file(Path(folder) / CARD_NAME)

    def write_file(self, path: Path) -> None:
        """Write the card, with its own hash, as a file of any name."""
        Path(path).write_text(to_json(self.sealed()._as_json(), indent=2) + "\n", encoding="utf-8")

    def sealed(self) -> Self:
        """The card, and those within it, with their own hashes."""
        inner = {name: card.sealed() for name, card in self._inner_cards().items()}
        card = replace(self, **inner)  # type: ignore[arg-type]
        return replace(card, card_hash=hash_card(card._as_json()))

    @property
    def names(self) -> frozenset[str]:
        """Names of all files of the output, the card's among them, with `/` between folders."""
        return self.names_in(self._as_json())

    @classmethod
    def names_in(cls, content: Mapping[str, object]) -> frozenset[str]:
        """Names of all files of an output, by the content of its card of any version."""
        hashes = content.get("hashes")
        return frozenset({CARD_NAME, *(hashes if isinstance(hashes, dict) else ())})

    @classmethod
    def find_foreign(cls, folder: Path) -> list[str]:
        """Files in the folder of an output, of any version, that are not of the output; an edited card is one.

        Returns:
            Files and links by name, and folders as `NAME/`.

        Raises:
            CardError: it has no card of this kind.
        """
        content = cls._read_content(folder / CARD_NAME)
        own = cls.names_in(content)
        own_folders = {str(parent) for name in own for parent in PurePosixPath(name).parents}
        found = [CARD_NAME] if OWN_HASH in content and not _has_own_hash(content) else []
        for place, folders, files in os.walk(folder):
            here = PurePosixPath(os.path.relpath(place, folder))
            found += [name for name in (str(here / file) for file in files) if name not in own]
            links = {name for name in folders if Path(place, name).is_symlink()}
            foreign = {name for name in folders if name in links or str(here / name) not in own_folders}
            found += [f"{here / name}/" for name in foreign]
            folders[:] = [name for name in folders if name not in foreign]
        return sorted(found)

    def copy_files(self, source: Path, target: Path) -> None:
        """Copy the files of the output in `source`, and no others, to a new folder."""
        copy_files(source, sorted(self.names), target)

    def check_hashes(
        self, folder: Path, names: Iterable[str] | None = None, find_hashes: HashFinder = hash_all
    ) -> None:
        """Compare files in `folder` with the card.

        Args:
            folder: of the card.
            names: of files that the card names; None: all.
            find_hashes: in place of reading all of them.

        Raises:
            MismatchError: a file is missing, or has changed since the card was written.
        """
        check_hashes(folder, self.hashes if names is None else {name: self.hashes[name] for name in names}, find_hashes)

    def all_names(self) -> list[str]:
        """Names and parts of names of files in the card, and in those within it."""
        inner = [name for card in self._inner_cards().values() for name in card.all_names()]
        return [*self.hashes, *inner]

    def _inner_cards(self) -> "dict[str, Card]":
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Card)}

    def _as_json(self) -> dict[str, object]:
        content: dict[str, object] = msgspec.to_builtins(self, str_keys=True)
        return content


def hash_card(content: Mapping[str, object]) -> str:
    """SHA-256 of the content of a card, its own hash left out."""
    return hash_text(json.dumps({key: value for key, value in content.items() if key != OWN_HASH}, sort_keys=True))


def _has_own_hash(content: Mapping[str, object]) -> bool:
    try:
        return content.get(OWN_HASH) == hash_card(content)
    except RecursionError:  # deeper than any card
        return False


def stage_in(path: Path) -> object:
    """The stage that a card names, whatever it is; None: it is no JSON object, or has no such entry.

    Raises:
        CardError: it cannot be read, or is not JSON.
    """
    content = _read_json(path, "make the output again")
    return content.get("stage") if isinstance(content, dict) else None


def _read_json(path: Path, advice: str) -> object:
    try:
        return read_json(path)
    except FileError as error:
        raise CardError.of(error, error.advice or advice) from error


def _default_of(kind: type[Card], name: str) -> object:
    return next(entry.default for entry in fields(kind) if entry.name == name)
