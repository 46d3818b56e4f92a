"""Rows of tab-separated files with a header. A row that is not in the form is a fault of its own."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import ManifestError
from .lines import KEPT_BYTE, Line, not_utf8, read_lines

PATH_COLUMNS = frozenset({"audio", "path"})  # names of files, whose bytes need not be UTF-8

# Fields of which a backslash makes the next character literal, be it a tab.
_ESCAPED_FIELDS = re.compile(r"(?:^|\t)((?:[^\t\\]|\\.|\\$)*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row.

    Attributes:
        location: `FILE:LINE`.
        known: fields by column, as far as they can be told where the row is at fault.
        fault: why the row is not in the form.
    """

    location: str
    known: dict[str, str]
    fault: ManifestError | None = None

    @property
    def fields(self) -> dict[str, str]:
        """Fields by column.

        Raises:
            ManifestError: the row is at fault.
        """
        if self.fault is not None:
            raise self.fault
        return self.known


def read_table(path: Path, columns: Iterable[str], exact: bool, escapes: bool = False) -> Iterator[TableRow]:
    """Yield the rows of a tab-separated file with a header. There is no quoting.

    Args:
        path: the file, plain or compressed by gzip.
        columns: the columns that must be there.
        exact: True: these columns in this order and no other; False: in any order, beside others.
        escapes: whether a backslash makes a tab, a line break or a backslash literal; it stays where it is. A line
            break is literal only where the lines together have as many fields as the header.

    Raises:
        ManifestError: missing file, no rows, or wrong columns. Of a row with too many or too few fields, or with text
            that is not UTF-8, `TableRow.fields` raises.
    """
    lines = list(read_lines(path))
    while lines and not lines[-1].content.strip(b" "):
        lines.pop()
    if not lines:
        raise ManifestError("is empty", place=path, advice="expected a header line and rows")
    header = lines[0].text.split("\t")
    _check_header(header, list(columns), exact, lines[0].location)
    if len(lines) == 1:
        raise ManifestError("there is a header but no row below it", place=lines[0].location)
    for line in _joined(lines[1:], len(header)) if escapes else lines[1:]:
        yield _make_row(line, header, escapes)


def _check_header(header: list[str], columns: list[str], exact: bool, location: str) -> None:
    missing = [column for column in columns if column not in header]
    if missing or (exact and header != columns):
        expected = "the columns" if exact else "at least the columns"
        raise ManifestError(
            f"expected {expected} {', '.join(columns)} (tab-separated), found {', '.join(header)}"
            + (f"; missing: {', '.join(missing)}" if missing else ""),
            place=location,
        )
    if len(set(header)) < len(header):
        raise ManifestError(f"each column must stand once, found {', '.join(header)}", place=location)


def _make_row(line: Line, header: list[str], escapes: bool) -> TableRow:
    text = line.raw_text
    fields = _fields_of(text, escapes)
    known = dict(zip(header, fields, strict=False))
    if len(fields) > len(header):
        known[header[-1]] = fields[-1]  # the tabs too many are those of a text before it
    if len(fields) != len(header):
        fault = ManifestError(
            f"expected {len(header)} tab-separated fields ({len(header) - 1} tabs), found {len(fields)}",
            place=line.location,
            advice="a text must hold no tab or line break, an empty field still needs its tab",
        )
        return TableRow(line.location, known, fault)
    for column, field in known.items() if KEPT_BYTE.search(text) else ():
        kept_byte = KEPT_BYTE.search(field)
        if column not in PATH_COLUMNS and kept_byte is not None:
            return TableRow(line.location, known, not_utf8(ord(kept_byte[0]) - 0xDC00, line.location))
    return TableRow(line.location, known)


def _fields_of(text: str, escapes: bool) -> list[str]:
    return _ESCAPED_FIELDS.findall(text) if escapes and "\\\t" in text else text.split("\t")


def _joined(lines: Iterable[Line], num_fields: int) -> Iterator[Line]:
    """Lines as they are meant; one that ends in a backslash goes on in the next where both are one row of the table."""
    begun: list[Line] = []
    for line in lines:
        begun.append(line)
        num_backslashes = len(line.content) - len(line.content.rstrip(b"\\"))
        if num_backslashes % 2 == 0:
            yield from _join_end(begun, num_fields)
            begun = []
    yield from _join_end(begun, num_fields)


def _join_end(lines: list[Line], num_fields: int) -> list[Line]:
    """Lines of which the last ones, as many as make one row, are joined; each other one is a row of its own."""
    num_joined, first = 1, len(lines)
    for index in reversed(range(len(lines))):
        num_joined += len(_fields_of(lines[index].raw_text, escapes=True)) - 1
        if num_joined == num_fields:
            first = index
    ending = lines[first:]
    joined = [Line(ending[0].location, b"\n".join(line.content for line in ending))] if ending else []
    return [*lines[:first], *joined]
