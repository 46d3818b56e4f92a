"""README.md, CONTRIBUTING.md and docs/ as tests read them: headings, blocks of code, tables of options, links.

<!-- options of: preprocess kmeans, preprocess units -->     before a table: it lists options of these commands
<!-- not run: it needs a GPU -->                             before a block: it cannot be run in a test, and why
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toy import REPOSITORY

PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
REQUIRED = "required"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\n\Z")
_OPTIONS = re.compile(r"<!-- options of: (.+?) -->\n((?:\|.*\n)+)")
_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        page: path from the repository's root.
        line: of its first line of code.
        language: behind the fence, such as `bash`.
        code: what stands in it.
        reason: why it is not run; "" if it is.
    """

    page: str
    line: int
    language: str
    code: str
    reason: str


@dataclass(frozen=True)
class OptionRow:
    """A row of a table of options.

    Attributes:
        page, commands: where it stands, and the commands that the table is of.
        name: `--clusters`, or `MODEL` of an argument without a name.
        meaning: in words.
        default: as written; REQUIRED, or "" where there is none.
        cells: all of the row.
    """

    page: str
    commands: tuple[str, ...]
    name: str
    meaning: str
    default: str
    cells: tuple[str, ...]


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks_of(page: Path) -> Iterator[Block]:
    """All fenced blocks of a page, in order."""
    text = text_of(page)
    for match in _FENCE.finditer(text):
        reason = _NOT_RUN.search(text[: match.start()])
        line = text.count("\n", 0, match.start()) + 2
        yield Block(name_of(page), line, match[1], match[2], reason[1] if reason else "")


def prose_of(page: Path) -> str:
    """A page without its blocks of code and comments."""
    return re.sub(r"<!--.*?-->", "", _FENCE.sub("", text_of(page)), flags=re.DOTALL)


def words_by_heading(page: Path) -> list[tuple[str, int]]:
    """(heading, words below it up to the next one), without tables and code."""
    found: list[tuple[str, int]] = []
    for line in prose_of(page).splitlines():
        if line.startswith("#"):
            found.append((line.lstrip("# "), 0))
        elif found and not line.startswith("|"):
            found[-1] = (found[-1][0], found[-1][1] + len(line.split()))
    return found


def anchors_of(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_of(page: Path) -> list[str]:
    """Targets of links and pictures."""
    found = re.findall(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"", prose_of(page))
    return [link or picture for link, picture in found]


def cells_of(line: str) -> tuple[str, ...]:
    """Cells of a table's row; `\\|` is a bar within a cell."""
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip())[1:-1])


def table_below(page: Path, heading: str) -> list[tuple[str, ...]]:
    """Rows of the first table below a heading, without its header."""
    _, _, text = text_of(page).partition(f"# {heading}\n")
    rows = [line for line in text.split("\n#")[0].splitlines() if line.startswith("|")]
    return [cells_of(line) for line in rows[2:]]


def option_rows() -> Iterator[OptionRow]:
    """The rows of all tables of options."""
    for page in PAGES:
        for match in _OPTIONS.finditer(text_of(page)):
            commands = tuple(name.strip() for name in match[1].split(","))
            for line in match[2].splitlines()[2:]:
                cells = cells_of(line)
                name = cells[0].strip("`").split()[0]
                yield OptionRow(name_of(page), commands, name, cells[1], cells[2].strip("`"), cells)
