"""A corpus of one's own: --root is a TSV file, or a folder of train.tsv, dev.tsv, test.tsv and other test*.tsv.

Tab-separated, UTF-8, with a header, without quoting. Needed columns: id, audio, src_text, tgt_text; known ones: offset,
duration (seconds), src_lang, tgt_lang, speaker; others are ignored. `audio` is relative to the TSV's folder or
absolute; empty for rows that serve text translation alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import ManifestError
from ..files.manifest import Utterance, parse_row
from ..files.program.options import option
from ..files.reading.obstacle import is_there
from ..files.reading.table import TableRow, read_table
from .rows.row import Row, row_or_fault, rows_or_fault

SUMMARY = "a TSV, or a folder of train.tsv, dev.tsv, test.tsv, of one's own"
NEEDED_COLUMNS = ("id", "audio", "src_text", "tgt_text")


@dataclass(frozen=True)
class TsvOptions:
    """Options beside those of all corpora."""

    src_lang: str = option("language of src_text where the file does not say, such as en", "")
    tgt_lang: str = option("language of tgt_text where the file does not say, such as fr", "")


OPTIONS = TsvOptions


def read_splits(root: Path, options: TsvOptions) -> dict[str, list[Utterance]]:
    """Rows of every file, by the file's name without `.tsv`."""
    return {path.stem: rows_or_fault(partial(read_rows, path, options), path) for path in find_files(root)}


def find_files(root: Path) -> list[Path]:
    """`root` itself if it is a file, else its train.tsv, dev.tsv and test*.tsv; there is one at least.

    Raises:
        ManifestError: there is none.
    """
    if root.is_file():
        return [root]
    paths = [path for path in (root / "train.tsv", root / "dev.tsv") if is_there(path)]
    paths += sorted(root.glob("test*.tsv"))
    if not paths:
        raise ManifestError("expected train.tsv, dev.tsv or test*.tsv in it, found none of them", place=root)
    return paths


def read_rows(path: Path, options: TsvOptions) -> Iterator[Row]:
    """Yield the rows of one file; a missing or empty language is that of the options.

    Raises:
        ManifestError: the file cannot be read, lacks columns, or has no row.
    """
    for row in read_table(path, NEEDED_COLUMNS, exact=False):
        yield row_or_fault(partial(_make_row, row, path.parent, options), row.location, row.known.get("id", ""))


def _make_row(row: TableRow, folder: Path, options: TsvOptions) -> Row:
    utterance = parse_row(row.fields, folder, row.location)
    languages = {
        "src_lang": utterance.src_lang or options.src_lang,
        "tgt_lang": utterance.tgt_lang or options.tgt_lang,
    }
    return Row(**vars(utterance) | languages, location=row.location)
