"""TMX, the exchange form of translation memories: its units, read as a stream.

Which languages are wanted, and what makes two of them a pair, is `text_corpus`.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from ..errors import ManifestError
from ..files.text import normalise_text

CHUNK_BYTES = 2**20
# Elements inside <seg> that hold a tool's own codes; the text inside <hi> and outside all of these is the sentence's.
CODE_ELEMENTS = frozenset({"bpt", "ept", "it", "ph", "ut"})


@dataclass(frozen=True)
class TranslationUnit:
    """One <tu>: a sentence in several languages."""

    name: str  # FILE:LINE of its start
    texts: list[tuple[str, str]]  # (language as written, normalised text) of each <tuv>


def read_tmx(path: Path) -> Iterator[TranslationUnit]:
    """Yield the units of a .tmx or .tmx.gz file, in any encoding that XML allows; memory does not grow with the file.

    Raises:
        ManifestError: the file cannot be read; or (`FILE:LINE: ...`) is not well-formed, is no TMX, or declares or
            uses entities of its own, by which a small file can grow without end.
    """
    builder = _UnitBuilder(path)
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield from builder.feed(chunk)
            yield from builder.feed(b"", is_last=True)
    except expat.ExpatError as error:
        raise ManifestError(
            f"not well-formed XML: {expat.ErrorString(error.code)} (column {error.offset})",
            place=f"{path}:{error.lineno}",
            advice="a TMX file must be whole",
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise ManifestError(f"cannot be read: {getattr(error, 'strerror', None) or error}", place=path) from error


class _UnitBuilder:
    """Makes units of the events of expat, which never opens another file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._check_root
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add_text
        self._parser.EntityDeclHandler = lambda name, *_: self._refuse_entity(name)
        self._parser.SkippedEntityHandler = lambda name, *_: self._refuse_entity(name)
        self._finished: list[TranslationUnit] = []
        self._unit = TranslationUnit("", [])
        self._language = ""
        self._parts: list[str] | None = None  # of the <seg> that is open
        self._num_open_codes = 0

    def feed(self, chunk: bytes, is_last: bool = False) -> list[TranslationUnit]:
        """The units that end in this chunk."""
        self._finished = []
        self._parser.Parse(chunk, is_last)
        return self._finished

    @property
    def _location(self) -> str:
        return f"{self._path}:{self._parser.CurrentLineNumber}"

    def _check_root(self, name: str, attributes: dict[str, str]) -> None:
        if name != "tmx":
            raise ManifestError(
                f"expected a TMX file, whose first element is <tmx>, found <{name}>",
                place=self._location,
            )
        self._parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "tu":
            self._unit = TranslationUnit(self._location, [])
        elif name == "tuv":
            self._language = attributes.get("xml:lang") or attributes.get("lang", "")
        elif name == "seg":
            self._parts = []
        elif name in CODE_ELEMENTS:
            self._num_open_codes += 1

    def _end(self, name: str) -> None:
        if name == "tu":
            self._finished.append(self._unit)
        elif name == "seg":
            self._unit.texts.append((self._language, normalise_text("".join(self._parts or []))))
            self._parts = None
        elif name in CODE_ELEMENTS:
            self._num_open_codes -= 1

    def _add_text(self, text: str) -> None:
        if self._parts is not None and not self._num_open_codes:
            self._parts.append(text)

    def _refuse_entity(self, name: str) -> NoReturn:
        raise ManifestError(
            f"the file declares or uses an entity of its own, '{name}'",
            place=self._location,
            advice="write the characters instead",
        )
