"""Building blocks of a page: tables, tiles, pictures and rows of pieces, as HTML with all text escaped."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from .style import STYLE_SHEET

SPACE = "\u2581"  # how SentencePiece writes a space


def page(title: str, body: str) -> str:
    """A whole page, which may load nothing: neither files nor addresses."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE_SHEET}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A heading and what follows it; nothing where nothing follows."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{chr(10).join(filter(None, parts))}\n</section>" if any(parts) else ""


def paragraph(text: str, kind: str = "") -> str:
    """Plain text; `kind` is a class of the style sheet."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def tiles(values: Iterable[tuple[str, str]]) -> str:
    """Tiles of pairs of a value and its meaning."""
    cells = (f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span></div>' for value, name in values)
    return f'<div class="tiles">{"".join(cells)}</div>'


def table(header: Sequence[str], rows: Iterable[Sequence[str]], chosen: str | None = None) -> str:
    """A table that scrolls by itself where the page is narrow; the row whose first cell is `chosen` stands out."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = []
    for row in rows:
        kind = ' class="chosen"' if row[0] == chosen else ""
        lines.append(f"<tr{kind}>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>")
    body = "\n".join(lines)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
        if lines
        else ""
    )


def charts(*pictures: tuple[str | None, str]) -> str:
    """Pictures side by side, pairs of SVG or None and a caption in HTML."""
    figures = (
        f"<figure>{svg.replace('<svg ', f'<svg aria-label={chr(34)}{escape(_plain(caption))}{chr(34)} ', 1)}"
        f"<figcaption>{caption}</figcaption></figure>"
        for svg, caption in pictures
        if svg is not None
    )
    content = "\n".join(figures)
    return f'<div class="charts">{content}</div>' if content else ""


def key(colour: str, name: str) -> str:
    """A patch of a picture's colour (speech or text) and its meaning."""
    return f'<span class="key" style="background: var(--{colour})"></span> {escape(name)}'


def warning(text: str, advice: str, examples: Iterable[str]) -> str:
    """A box of a warning: what was found, what to do, and a line for each example."""
    lines = "".join(f"<li>{escape(example)}</li>" for example in examples)
    found = f"<p><b>{escape(text)}</b></p><p>{escape(advice)}</p>"
    return f'<div class="warning">{found}{f"<ul>{lines}</ul>" if lines else ""}</div>'


def pieces(content: Iterable[str | Sequence[int]]) -> str:
    """Subwords with visible borders: of text, or lists of units."""
    cells = []
    for piece in content:
        if isinstance(piece, str):
            cells.append(f'<span class="piece">{escape(piece.replace(SPACE, "␣"))}</span>')
        else:
            cells.append(f'<span class="piece units">{" ".join(map(str, piece))}</span>')
    return f'<div class="pieces">{"".join(cells)}</div>'


def details(entries: Iterable[tuple[str, str]]) -> str:
    """Rows of one example, pairs of a name and HTML."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{content}</dd>" for name, content in entries)
    return f'<div class="example"><dl>{rows}</dl></div>'


def _plain(caption: str) -> str:
    """A caption without its markup."""
    return re.sub(r"<[^>]*>", "", caption)
