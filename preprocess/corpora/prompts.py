"""Announcements joined from recorded prompts: --root is the folder that examples/prompts/compose.py wrote.

It holds audio/ and announcements.tsv with the columns id, split, audio, seconds, recordings, en, fr, es. Rows of the
split `train` without audio stay in train.tsv, where they serve text translation alone.
"""

from dataclasses import dataclass
from pathlib import Path

from ..errors import ManifestError, PreprocessError
from ..files.manifest import Utterance, check_utterance, parse_row, placed, read_table
from ..files.options import option

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


def read_splits(root: Path, options: PromptsOptions) -> dict[str, list[Utterance]]:
    """Read and check announcements.tsv.

    Raises:
        ManifestError: `FILE:LINE: ...`; a row is not in the form that this module's docstring gives.
    """
    path = root / "announcements.tsv"
    splits: dict[str, list[Utterance]] = {split: [] for split in SPLITS}
    first_locations: dict[str, str] = {}
    for location, row in read_table(path, COLUMNS, exact=True):
        if row["split"] not in splits:
            raise ManifestError(f"split must be one of {', '.join(SPLITS)}, found '{row['split']}'", place=location)
        fields = {
            "id": row["id"],
            "audio": row["audio"],
            "duration": row["seconds"] if row["audio"] else "",
            "src_lang": "en",
            "tgt_lang": options.tgt_lang,
            "src_text": row["en"],
            "tgt_text": row[options.tgt_lang],
        }
        utterance = parse_row(fields, path.parent, location)
        with placed(utterance, location):
            check_utterance(utterance, location, first_locations)
        if utterance.audio is None and row["split"] != "train":
            raise ManifestError(f"only rows of the split train may lack audio, '{utterance.id}' does", place=location)
        splits[row["split"]].append(utterance)
    return {split: utterances for split, utterances in splits.items() if utterances}
