"""Announcements joined from recorded prompts: --root is the folder that examples/prompts/compose.py wrote.

It holds audio/ and announcements.tsv with the columns id, split, audio, seconds, recordings, en, fr, es. Rows of the
split `train` without audio stay in train.tsv, where they serve text translation alone.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import ManifestError, PreprocessError
from ..files.manifest import parse_row
from ..files.program.options import option
from ..files.reading.table import TableRow, read_table
from .rows.row import Row, row_or_fault

SUMMARY = "the announcements of examples/prompts"
SPLITS = ("train", "dev", "test", "test_prompts")
LANGUAGES = ("en", "fr", "es")
COLUMNS = ("id", "split", "audio", "seconds", "recordings", *LANGUAGES)


@dataclass(frozen=True)
class PromptsOptions:
    """Options beside those of all corpora."""

    tgt_lang: str = option("language to translate into", choices=LANGUAGES[1:])

    def __post_init__(self) -> None:
        """Check the language.

        Raises:
            PreprocessError: it is none of those that announcements have.
        """
        if self.tgt_lang not in LANGUAGES[1:]:
            raise PreprocessError(f"--tgt-lang must be one of {', '.join(LANGUAGES[1:])}, got '{self.tgt_lang}'")


OPTIONS = PromptsOptions


def read_splits(root: Path, options: PromptsOptions) -> dict[str, list[Row]]:
    """Read announcements.tsv.

    Raises:
        ManifestError: it cannot be read, or has other columns.
    """
    splits: dict[str, list[Row]] = {split: [] for split in SPLITS}
    for row in read_table(root / "announcements.tsv", COLUMNS, exact=True):
        made = row_or_fault(partial(_make_row, row, root, options.tgt_lang), row.location, row.known["id"])
        splits.get(row.known.get("split", ""), splits["train"]).append(made)
    return {split: rows for split, rows in splits.items() if rows}


def _make_row(row: TableRow, folder: Path, tgt_lang: str) -> Row:
    fields = row.fields
    if fields["split"] not in SPLITS:
        raise ManifestError(f"split must be one of {', '.join(SPLITS)}, found '{fields['split']}'", place=row.location)
    known = {
        "id": fields["id"],
        "audio": fields["audio"],
        "duration": fields["seconds"] if fields["audio"] else "",
        "src_lang": "en",
        "tgt_lang": tgt_lang,
        "src_text": fields["en"],
        "tgt_text": fields[tgt_lang],
    }
    utterance = parse_row(known, folder, row.location)
    if utterance.audio is None and fields["split"] != "train":
        raise ManifestError(f"only rows of the split train may lack audio, '{utterance.id}' does", place=row.location)
    return Row(**vars(utterance), location=row.location)
