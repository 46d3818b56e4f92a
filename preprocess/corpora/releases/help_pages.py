"""LibreOffice's help pages as Debian packages them: parallel paragraphs and headings of several languages.

The pages of all languages have the same names, and in them a paragraph or heading has the same id in all languages.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from ...errors import ManifestError
from ...files.text import normalise_text

HELP = Path("usr/share/libreoffice/help")
FOLDERS = {"en": "en-US", "de": "de", "es": "es", "fr": "fr"}  # by language

_ELEMENT = re.compile(r'<(p|h[1-6]) id="((?:par|hd)_id[^"]*)"([^>]*)>(.*?)</\1>', re.DOTALL)
# Marked so in the page: program text, what to type, names that are no words.
_CODE_CLASS = re.compile(r"code|literal|input")
_VOID = ("br", "hr", "img", "input", "wbr")  # tags without an end
_INVISIBLE = re.compile("[\N{SOFT HYPHEN}\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}]")


@dataclass(frozen=True, eq=False)
class HelpText:
    """A paragraph or heading in several languages."""

    page: str  # such as swriter/01/05040500
    name: str  # its id within the page
    texts: dict[str, str]  # by language
    is_paragraph: bool  # else a heading
    has_code: bool  # in English


def read_help(unpacked: Path, languages: Sequence[str]) -> Iterator[HelpText]:
    """Texts that exist in all `languages`, page by page in the order of their names.

    A text that differs between the programs of LibreOffice or between systems is read as those on Linux see it, or
    left out where the page does not say.

    Raises:
        ManifestError: a language has no folder of pages, or a page cannot be read.
    """
    folders = {language: unpacked / HELP / FOLDERS[language] for language in languages}
    for language, folder in folders.items():
        if not (folder / "text").is_dir():
            raise ManifestError(
                "no such folder",
                place=folder / "text",
                advice=f"the help pages in '{language}' come from the package libreoffice-help-*",
            )
    first = folders[languages[0]]
    for path in sorted((first / "text").rglob("*.html")):
        page = path.relative_to(first)
        if all((folder / page).is_file() for folder in folders.values()):
            yield from _page_texts(page, folders)


def _page_texts(page: Path, folders: dict[str, Path]) -> Iterator[HelpText]:
    elements = {language: _read_elements(folder / page) for language, folder in folders.items()}
    for name, (_, has_code) in elements["en"].items():
        texts = {language: found[name][0] for language, found in elements.items() if name in found}
        if len(texts) == len(folders) and all(texts.values()):
            page_name = page.relative_to("text").with_suffix("").as_posix()
            yield HelpText(page_name, name, texts, name.startswith("par_"), has_code)


def _read_elements(path: Path) -> dict[str, tuple[str, bool]]:
    """Text and whether it holds code, by id; a second element with an id, as the pages have, is called ID.2."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"cannot be read: {error}", place=path) from error
    elements: dict[str, tuple[str, bool]] = {}
    times: Counter[str] = Counter()
    for _, name, attributes, inner in _ELEMENT.findall(content):
        times[name] += 1
        reader = _ElementReader()
        reader.feed(inner)
        reader.close()
        has_code = reader.has_code or bool(_CODE_CLASS.search(attributes))
        text = "" if reader.has_variants else reader.text()
        elements[name if times[name] == 1 else f"{name}.{times[name]}"] = text, has_code
    return elements


class _ElementReader(HTMLParser):
    """Text of one element as a reader on Linux sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.has_code = False
        self.has_variants = False
        self._parts: list[str] = []
        self._open: list[bool] = []  # of each open tag: is its content shown?

    def text(self) -> str:
        return normalise_text(_INVISIBLE.sub("", "".join(self._parts)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            self._parts.append(" ")
            return
        attributes = dict(attrs)
        kind = attributes.get("class") or ""
        is_default = (attributes.get("id") or "").startswith("default")
        # A text for macOS has a default beside it; texts for one program of LibreOffice or for Windows have not.
        self.has_variants |= "hidden" in attributes and kind != "MAC" and not is_default
        self.has_code |= tag == "code" or bool(_CODE_CLASS.search(kind))
        self._open.append("hidden" not in attributes or is_default)

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag not in _VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if all(self._open):
            self._parts.append(data)
