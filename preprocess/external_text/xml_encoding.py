"""The encoding of an XML file, and its content in UTF-8, which the parser is given."""

import codecs
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..errors import ManifestError

START_BYTES = 2**10  # of a file, which hold its declaration

# UTF-32 first, whose mark begins as that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    *(("<".encode(encoding), encoding) for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")),
)
_DECLARATION = re.compile(rb"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'<>]*)""")

# A character that XML does not allow, so that the parser finds fault with what holds it.
codecs.register_error("not_xml", lambda error: ("\uffff", getattr(error, "end", 0)))


def utf_8_maker(start: bytes, path: Path) -> Callable[[bytes, bool], bytes]:
    """Make a function that converts the chunks of a file to UTF-8.

    It takes a chunk, and whether it is the last one. Bytes that are not in the file's encoding become a character that
    XML does not allow.

    Args:
        start: of the file, `START_BYTES` if it has so many.
        path: the file, for errors.

    Raises:
        ManifestError: the encoding that the file declares is unknown.
    """
    encoding = _find_encoding(start)
    try:
        "<".encode(encoding)  # a LookupError where it is one of Python's that are not of text
        if codecs.lookup(encoding).name == "utf-8":
            return lambda chunk, is_last: chunk
        decoder = codecs.getincrementaldecoder(encoding)("not_xml")
    except (LookupError, ValueError) as error:
        raise ManifestError(
            f"it declares the encoding {encoding!r}, which is unknown",
            place=f"{path}:1",
            advice="convert the file to UTF-8, and declare that",
        ) from error
    return partial(_to_utf_8, decoder)


def _to_utf_8(decoder: codecs.IncrementalDecoder, chunk: bytes, is_last: bool) -> bytes:
    return decoder.decode(chunk, is_last).encode(errors="surrogatepass")


def _find_encoding(start: bytes) -> str:
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    declaration = _DECLARATION.match(start)
    declared = declaration[1].decode("latin-1") if declaration else "utf-8"
    # A declaration that could be read a byte a character is in neither of these.
    return "utf-8" if declared.lower().startswith(("utf-16", "utf-32")) else declared
