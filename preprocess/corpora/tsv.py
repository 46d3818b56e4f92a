"""A corpus of one's own: --root is a TSV file, or a folder of train.tsv, dev.tsv, test.tsv and other test*.tsv.

Tab-separated, UTF-8, with a header, without quoting. Needed columns: id, audio, src_text, tgt_text; known ones: offset,
duration (seconds), src_lang, tgt_lang, speaker; others are ignored. `audio` is relative to the TSV's folder or
absolute; empty for rows that serve text translation alone.
"""

from dataclasses import dataclass
from pathlib import Path

from ..errors import ManifestError
from ..files.manifest import Utterance, parse_row, read_table
from ..files.options import option
from .rows.row import Row

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
    return {path.stem: read_rows(path, options.src_lang, options.tgt_lang) for path in find_files(root)}


def find_files(root: Path) -> list[Path]:
    """`root` itself if it is a file, else its train.tsv, dev.tsv and test*.tsv; there is one at least.

    Raises:
        ManifestError: there is none.
    """
    if root.is_file():
        return [root]
    paths = [path for path in (root / "train.tsv", root / "dev.tsv") if path.is_file()]
    paths += sorted(root.glob("test*.tsv"))
    if not paths:
        raise ManifestError("expected train.tsv, dev.tsv or test*.tsv in it, found none of them", place=root)
    return paths


def read_rows(path: Path, src_lang: str, tgt_lang: str) -> list[Utterance]:
    """Read one file; a missing or empty language becomes `src_lang` or `tgt_lang`.

    Raises:
        ManifestError: `FILE:LINE: ...`; the file is not in the form that this module's docstring gives.
    """
    rows: list[Utterance] = []
    for location, fields in read_table(path, NEEDED_COLUMNS, exact=False):
        utterance = parse_row(fields, path.parent, location)
        languages = {"src_lang": utterance.src_lang or src_lang, "tgt_lang": utterance.tgt_lang or tgt_lang}
        rows.append(Row(**vars(utterance) | languages, location=location))
    return rows
