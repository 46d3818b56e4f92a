"""Escapes of the characters that SentencePiece keeps for itself.

It writes a space as U+2581, and skips the sentences with its own marks, U+2585 and NUL, when it learns. Noncharacters
of Unicode, which are for such use and stand in no text, take their places; text without any of these is unchanged.
"""

import re

MARK = "\ufdd0"  # before a noncharacter of this module that the text itself holds
STANDS_FOR = {"\ufdd1": "\u2581", "\ufdd2": "\u2585", "\ufdd3": "\0"}
RESERVED = tuple(STANDS_FOR.values())
RESERVED_NAMES = "▁ (U+2581), ▅ (U+2585) or NUL"

_ESCAPED = {held: stand_in for stand_in, held in STANDS_FOR.items()} | {
    held: MARK + held for held in (MARK, *STANDS_FOR)
}
_TO_ESCAPE = re.compile(f"[{re.escape(''.join(_ESCAPED))}]")
_TO_UNESCAPE = re.compile(f"{MARK}([{MARK}{''.join(STANDS_FOR)}])|[{''.join(STANDS_FOR)}]")


def escape_text(text: str) -> str:
    """Escape a text, so that SentencePiece gives it back as it is."""
    return _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], text)


def unescape_text(text: str) -> str:
    """Inverse of `escape_text`; what a model writes that no text gives, such as a mark alone, stays."""
    return _TO_UNESCAPE.sub(lambda found: found[1] or STANDS_FOR[found[0]], text)


def has_reserved(text: str) -> bool:
    """Whether a text holds a character that SentencePiece keeps for itself."""
    return any(character in text for character in RESERVED)
