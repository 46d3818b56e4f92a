"""TMX, the exchange form of translation memories: its units, read as a stream.

Which languages are wanted, and what makes two of them a pair, is `text_corpus`. A unit that is not well-formed XML is
a fault of its own: those before and after it are read.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from ..errors import ManifestError
from ..files.faults import FaultSink, raise_fault
from ..files.reading.lines import open_bytes
from ..files.reading.obstacle import unreadable
from ..files.text import normalise_text
from .xml_encoding import START_BYTES, utf_8_maker

CHUNK_BYTES = 2**20
KEPT_BYTES = 2**14  # before a chunk: a tag that is at fault may begin there
# Elements inside <seg> that hold a tool's own codes; the text inside <hi> and outside all of these is the sentence's.
CODE_ELEMENTS = frozenset({"bpt", "ept", "it", "ph", "ut"})

_BOUNDARY = re.compile(rb"(</tu\s*>)|<tu[\s>]|</body\s*>")
_BEGIN = b"<tmx><body>"  # what a parser is given before it goes on within a file
_AT_THE_END = frozenset(  # errors of a file that is cut, not of a unit
    {expat.errors.codes[getattr(expat.errors, f"XML_ERROR_{name}")] for name in ("NO_ELEMENTS", "UNCLOSED_TOKEN")}
)


@dataclass(frozen=True)
class TranslationUnit:
    """One <tu>: a sentence in several languages."""

    name: str  # FILE:LINE of its start
    texts: list[tuple[str, str]]  # (language as written, normalised text) of each <tuv>


def read_tmx(path: Path, at_fault: FaultSink = raise_fault) -> Iterator[TranslationUnit]:
    """Yield the units of a .tmx or .tmx.gz file, in any encoding that Python knows; memory does not grow with the file.

    Args:
        path: the file.
        at_fault: is given what is wrong with a unit that is not well-formed; reading goes on behind it.

    Raises:
        ManifestError: the file cannot be read; or (`FILE:LINE: ...`) is no TMX, is not whole, or declares entities of
            its own, by which a small file can grow without end.
    """
    reader = _Reader(path, at_fault)
    try:
        with open_bytes(path) as file:
            chunk = file.read(START_BYTES)
            to_utf_8 = utf_8_maker(chunk, path)
            while chunk:
                yield from reader.feed(to_utf_8(chunk, False))
                chunk = file.read(CHUNK_BYTES)
            yield from reader.feed(to_utf_8(b"", True), is_last=True)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from error


@dataclass(frozen=True)
class _Skipped:
    """A fault behind which a new parser is to go on."""

    error: ManifestError
    begin: int  # of the search for the unit's end, in bytes of UTF-8
    line_number: int  # there


class _Reader:
    """Feeds parsers, a new one behind each unit at fault."""

    def __init__(self, path: Path, at_fault: FaultSink) -> None:
        self._path, self._at_fault = path, at_fault
        self._builder = _UnitBuilder(path, at_fault)
        self._window = b""  # the last bytes of the file in UTF-8
        self._end = 0  # of the window, in bytes from the beginning
        self._origin = 0  # of the parser, in bytes from the beginning
        self._skipped: _Skipped | None = None

    def feed(self, chunk: bytes, is_last: bool = False) -> Iterator[TranslationUnit]:
        """Yield the units that end in this chunk, which is in UTF-8."""
        self._window = self._window[-KEPT_BYTES:] + chunk
        self._end += len(chunk)
        if self._skipped is None:
            yield from self._parse(chunk, is_last)
        while self._skipped is not None:
            rest = self._go_on(self._skipped)
            if rest is None:
                break
            yield from self._parse(rest, is_last)
        if self._skipped is not None and is_last:
            raise self._skipped.error

    def _parse(self, chunk: bytes, is_last: bool) -> list[TranslationUnit]:
        builder = self._builder
        try:
            builder.feed(chunk, is_last)
        except expat.ExpatError as error:
            fault = ManifestError(
                f"not well-formed XML: {expat.ErrorString(error.code)} (column {error.offset})",
                place=f"{self._path}:{builder.first_line + error.lineno - 1}",
            )
            if not builder.is_in_body or error.code in _AT_THE_END:
                fault.advice = "a TMX file must be whole"
                raise fault from error
            if not builder.has_unclosed_unit:  # which was told, and which this comes from
                self._at_fault(fault)
            # Of an end tag that does not fit, the error points behind the slash.
            begin = self._origin + builder.error_index - len("</")
            self._skipped = _Skipped(fault, begin, builder.first_line + error.lineno - 1)
        return builder.take_units()

    def _go_on(self, skipped: _Skipped) -> bytes | None:
        """Begin a new parser behind a unit at fault, and return its input; None: the end is not there yet."""
        start = self._end - len(self._window)
        begin = max(skipped.begin, start) - start
        boundary = _BOUNDARY.search(self._window, begin)
        if boundary is None:
            return None
        resume = boundary.end() if boundary[1] else boundary.start()
        self._builder = _UnitBuilder(
            self._path, self._at_fault, skipped.line_number + self._window.count(b"\n", begin, resume)
        )
        self._origin = start + resume - len(_BEGIN)
        self._skipped = None
        return _BEGIN + self._window[resume:]


class _UnitBuilder:
    """Makes units of the events of expat, which never opens another file."""

    def __init__(self, path: Path, at_fault: FaultSink, first_line: int = 1) -> None:
        """Begin a file, or go on within it.

        Args:
            path: the file.
            at_fault: is given units that use entities, and those that have no end.
            first_line: of what this one is given.
        """
        self._path, self._at_fault, self.first_line = path, at_fault, first_line
        self._parser = expat.ParserCreate("UTF-8")  # whatever the file declares
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._check_root
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add_text
        self._parser.EntityDeclHandler = lambda name, *_: self._refuse_entity(name)
        self._parser.SkippedEntityHandler = lambda name, *_: self._skip_entity(name)
        self._finished: list[TranslationUnit] = []
        self._unit: TranslationUnit | None = None
        self._unit_fault: ManifestError | None = None
        self._language = ""
        self._parts: list[str] | None = None  # of the <seg> that is open
        self._num_open_codes = 0
        self.is_in_body = False
        self.has_unclosed_unit = False

    def feed(self, chunk: bytes, is_last: bool) -> None:
        """Parse more of the file."""
        self._parser.Parse(chunk, is_last)

    def take_units(self) -> list[TranslationUnit]:
        """The units that have ended since this was called last."""
        finished, self._finished = self._finished, []
        return finished

    @property
    def error_index(self) -> int:
        """Place of the error, in bytes that this was given."""
        return self._parser.ErrorByteIndex

    @property
    def _location(self) -> str:
        return f"{self._path}:{self.first_line + self._parser.CurrentLineNumber - 1}"

    def _check_root(self, name: str, attributes: dict[str, str]) -> None:
        if name != "tmx":
            raise ManifestError(
                f"expected a TMX file, whose first element is <tmx>, found <{name}>",
                place=self._location,
            )
        self._parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "body":
            self.is_in_body = True
        elif name == "tu":
            if self._unit is not None:
                self._at_fault(ManifestError("the unit has no end, </tu>", place=self._unit.name))
                self.has_unclosed_unit = True
            self._unit, self._unit_fault = TranslationUnit(self._location, []), None
        elif name == "tuv":
            self._language = attributes.get("xml:lang") or attributes.get("lang", "")
        elif name == "seg":
            self._parts = []
        elif name in CODE_ELEMENTS:
            self._num_open_codes += 1

    def _end(self, name: str) -> None:
        if name == "body":
            self.is_in_body = False
        elif name == "tu" and self._unit is not None:
            if self._unit_fault is None:
                self._finished.append(self._unit)
            else:
                self._at_fault(self._unit_fault)
            self._unit = None
        elif name == "seg" and self._unit is not None:
            self._unit.texts.append((self._language, normalise_text("".join(self._parts or []))))
            self._parts = None
        elif name in CODE_ELEMENTS:
            self._num_open_codes -= 1

    def _add_text(self, text: str) -> None:
        if self._parts is not None and not self._num_open_codes:
            self._parts.append(text)

    def _skip_entity(self, name: str) -> None:
        if self._unit is None:
            self._refuse_entity(name)
        self._unit_fault = self._unit_fault or self._entity_error(name)

    def _refuse_entity(self, name: str) -> NoReturn:
        raise self._entity_error(name)

    def _entity_error(self, name: str) -> ManifestError:
        return ManifestError(
            f"the file declares or uses an entity of its own, '{name}'",
            place=self._location,
            advice="write the characters instead",
        )
