"""Texts in tables and JSON, written so that they come back as they were.

In a field of a table a backslash makes `\\t`, `\\n`, `\\r`, `\\\\`, and `\\udce4` of the byte E4 in a name that is not
UTF-8.
"""

import json
import re
from typing import Final

_NAMED: Final = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
_LITERAL: Final = {escape: character for character, escape in _NAMED.items()}
_SPECIAL = re.compile("[\\\\\t\n\r\ud800-\udfff]")
_BREAK = re.compile("[\t\n\r]")
_ESCAPE = re.compile(r"\\(?:[\\tnr]|u[0-9a-f]{4})")
_SURROGATE = re.compile("[\ud800-\udfff]")


def escape_field(text: str) -> str:
    """A text as one field of a tab-separated line in UTF-8."""
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0]) or _as_number(match), text)


def unescape_field(field: str) -> str:
    """Inverse of `escape_field`."""
    return _ESCAPE.sub(lambda match: _LITERAL.get(match[0]) or chr(int(match[0][2:], 16)), field)


def escape_breaks(text: str) -> str:
    """A message as one line: the tabs and line breaks of the names in it are written as in a field."""
    return _BREAK.sub(lambda match: _NAMED[match[0]], text)


def to_json(content: object, indent: int | None = None) -> str:
    """JSON that can be written in UTF-8.

    Bytes of names that are not UTF-8 become `\\udc..`, which `json.loads` reads as Python has them.
    """
    return _SURROGATE.sub(_as_number, json.dumps(content, ensure_ascii=False, indent=indent))


def _as_number(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
