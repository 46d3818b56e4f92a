"""card.json: what made an output, and the hashes by which later stages see that their inputs fit together."""

import hashlib
import json
from pathlib import Path
from typing import Any

from .errors import MismatchError, PreprocessError

CARD_NAME = "card.json"
VERSION = "0.2"

Card = dict[str, Any]


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_card(folder: Path, card: Card) -> None:
    """Write `card` as folder/card.json; call it last inside `outputs.whole_folder`."""
    text = json.dumps(card, ensure_ascii=False, indent=2) + "\n"
    (Path(folder) / CARD_NAME).write_text(text, encoding="utf-8")


def read_card(folder: Path, stage: str) -> Card:
    """Read folder/card.json and check that `stage` wrote it.

    Raises:
        PreprocessError: there is no card, it is not JSON, or another stage wrote it.
    """
    path = Path(folder) / CARD_NAME
    if not path.is_file():
        raise PreprocessError(f"{folder} is not a finished output of the stage '{stage}': it has no {CARD_NAME}")
    return parse_card(path, stage)


def parse_card(path: Path, stage: str) -> Card:
    """Like `read_card`, for a card file of any name (the card of FILE.units is FILE.card.json)."""
    try:
        card = json.loads(Path(path).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise PreprocessError(f"{path}: not valid JSON ({error}); make this output again") from error
    if not isinstance(card, dict) or card.get("stage") != stage:
        found = card.get("stage") if isinstance(card, dict) else type(card).__name__
        raise PreprocessError(f"{path}: expected the card of stage '{stage}', found '{found}'")
    return card


def check_hashes(folder: Path, card: Card) -> None:
    """Check every file named in card["hashes"] against its recorded SHA-256.

    Raises:
        MismatchError: a file is missing or has changed since the card was written.
    """
    for name, expected in card["hashes"].items():
        path = Path(folder) / name
        if not path.is_file():
            raise MismatchError(f"{path} is missing, though {Path(folder) / CARD_NAME} names it; make the output again")
        found = hash_file(path)
        if found != expected:
            raise MismatchError(
                f"{path} has changed since it was made: its card says sha256 {expected[:12]}, found {found[:12]}; "
                "make the output again"
            )


def signature(card: Card) -> str:
    """One line that names the data of a data-bin, such as `wavlm-large|L21|k2000|dedup|spm4000+4000|x4|v0.2`.

    With a text model its kept pieces stand in place of the source text's: `spm4000+mbart-50:31234`. Unknown parts
    (units that came without a card) are written as `?`.
    """
    kmeans = card.get("kmeans") or {}
    extractor = kmeans.get("extractor") or {}
    num_text_pieces = card["dictionary"]["source_subwords"]
    text_model = card.get("text_model")
    text = f"{text_model['convention']}:{num_text_pieces}" if text_model else str(num_text_pieces)
    return "|".join(
        [
            str(extractor.get("name", "?")),
            f"L{extractor.get('layer', '?')}",
            f"k{kmeans.get('clusters', '?')}",
            "dedup",
            f"spm{card['dictionary']['unit_subwords']}+{text}",
            f"x{card['repeat']}",
            f"v{card['version']}",
        ]
    )
