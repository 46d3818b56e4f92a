"""Announcements joined from recorded prompts: --root is the folder that examples/prompts/compose.py wrote.

It holds audio/ and announcements.tsv with the columns id, split, audio, seconds, recordings, en, fr, es. Rows of the
split `train` without audio stay in train.tsv, where they serve text translation alone.
"""

import argparse
from pathlib import Path

from ..errors import ManifestError
from ..manifest import Utterance, check_utterance, parse_row, read_table

SUMMARY = "the announcements of examples/prompts"
SPLITS = ("train", "dev", "test", "test_prompts")
LANGUAGES = ("en", "fr", "es")
COLUMNS = ("id", "split", "audio", "seconds", "recordings", *LANGUAGES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options beside --root and --out."""
    parser.add_argument("--tgt-lang", choices=LANGUAGES[1:], required=True, help="language to translate into")


def read_splits(arguments: argparse.Namespace) -> dict[str, list[Utterance]]:
    """Read and check announcements.tsv.

    Raises:
        ManifestError: `FILE:LINE: ...`; a row is not in the form that this module's docstring gives.
    """
    path: Path = arguments.root / "announcements.tsv"
    splits: dict[str, list[Utterance]] = {split: [] for split in SPLITS}
    first_locations: dict[str, str] = {}
    for location, row in read_table(path, COLUMNS, exact=True):
        if row["split"] not in splits:
            raise ManifestError(f"{location}: split must be one of {', '.join(SPLITS)}, found '{row['split']}'")
        fields = {
            "id": row["id"],
            "audio": row["audio"],
            "duration": row["seconds"] if row["audio"] else "",
            "src_lang": "en",
            "tgt_lang": arguments.tgt_lang,
            "src_text": row["en"],
            "tgt_text": row[arguments.tgt_lang],
        }
        utterance = parse_row(fields, path.parent, location)
        check_utterance(utterance, location, first_locations)
        if utterance.audio is None and row["split"] != "train":
            raise ManifestError(f"{location}: only rows of the split train may lack audio, '{utterance.id}' does")
        splits[row["split"]].append(utterance)
    return {split: utterances for split, utterances in splits.items() if utterances}
