"""Dialogues of Fish Fillets, as its Lua scripts hold them: script/LEVEL/*dialogs_XX.lua, XX being a language.

    dialogId("let-m-divna", "font_small", "What kind of strange ship is that?")
    dialogStr("Co je to za divnou loď?")

The files of every language repeat the English text; dialogs_en.lua has no dialogStr. Calls whose arguments are not
plain strings (`dialogId("key"..i, "", "")`) name no sound and are passed over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import ManifestError
from ...files.text import normalise_text

_STRING = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_COMMENT = r"--\[\[.*?\]\]|--[^\n]*"
_CALL = rf"(?P<function>dialogId|dialogStr)\s*\(\s*(?P<arguments>(?:(?:{_STRING})\s*,?\s*)*)\)"
# Comments and strings are matched wherever they begin, so that a call within them is not taken for one.
_TOKEN = re.compile(rf"{_COMMENT}|{_CALL}|{_STRING}", re.DOTALL)
_ESCAPE = re.compile(r"\\(\d{1,3}|.)", re.DOTALL)
_NAMED_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@dataclass(frozen=True)
class Dialogue:
    """One line of dialogue."""

    location: str  # FILE:LINE
    level: str
    id: str  # within the level; also the name of its sound
    speaker: str  # whose colour it is written in, such as small (the small fish)
    english: str
    text: str  # in the file's language; "" in dialogs_en.lua


def read_dialogues(scripts: Path, language: str) -> dict[tuple[str, str], Dialogue]:
    """Dialogues of all levels that have one text at least, by (level, id); of several with one id, the first.

    Raises:
        ManifestError: there are none, or a file cannot be read.
    """
    dialogues: dict[tuple[str, str], Dialogue] = {}
    for path in sorted(scripts.glob(f"*/*dialogs_{language}.lua")):
        for dialogue in _read_file(path):
            if dialogue.english or dialogue.text:
                dialogues.setdefault((dialogue.level, dialogue.id), dialogue)
    if not dialogues:
        raise ManifestError(f"expected LEVEL/dialogs_{language}.lua in it, with dialogues, found none", place=scripts)
    return dialogues


def _read_file(path: Path) -> Iterator[Dialogue]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"cannot be read: {error}", place=path) from error
    last: tuple[str, list[str]] | None = None
    for match in _TOKEN.finditer(content):
        if not match["function"]:
            continue
        strings = [_unescape(string[1:-1]) for string in re.findall(_STRING, match["arguments"], re.DOTALL)]
        location = f"{path}:{content.count(chr(10), 0, match.start()) + 1}"
        if match["function"] == "dialogId" and len(strings) == 3:
            if last is not None:
                yield _make(last, "", path)
            last = location, strings
        elif match["function"] == "dialogStr" and last is not None:
            # The Bulgarian release repeats id and font in one place: no text is known then.
            yield _make(last, strings[0] if len(strings) == 1 else "", path)
            last = None
        else:
            raise ManifestError(
                'expected dialogId("ID", "FONT", "TEXT") and then dialogStr("TEXT"), found '
                f"{match['function']} with {len(strings)} strings",
                place=location,
            )
    if last is not None:
        yield _make(last, "", path)


def _make(dialogue_id: tuple[str, list[str]], text: str, path: Path) -> Dialogue:
    location, (name, font, english) = dialogue_id
    speaker = font.removeprefix("font_")
    return Dialogue(location, path.parent.name, name, speaker, normalise_text(english), normalise_text(text))


def _unescape(string: str) -> str:
    return _ESCAPE.sub(_escaped_character, string)


def _escaped_character(match: re.Match[str]) -> str:
    escaped = match[1]
    return chr(int(escaped)) if escaped.isdecimal() else _NAMED_ESCAPES.get(escaped, escaped)
