"""The card of a model folder as its seal: hashes of all files and of itself.

It is written last and checked first.
"""

import fnmatch
import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import msgspec

from preprocess.errors import MismatchError
from preprocess.files.cards.card import CARD_NAME, hash_files

from .card import ModelCard, hash_card
from .errors import ModelFolderError

COPY_AGAIN = "copy or export the folder again"


def seal(folder: Path, card: ModelCard, unsealed: Collection[str]) -> None:
    """Write FOLDER/card.json: `card` with the hashes of all files but those at the paths `unsealed`."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    sealed = replace(card, hashes=hash_files(folder, [name for name in names if name not in {CARD_NAME, *unsealed}]))
    replace(sealed, card_hash=hash_card(msgspec.to_builtins(sealed))).write(folder)


def check_seal(folder: Path, card: ModelCard, allowed: Collection[str]) -> None:
    """Check a card against itself, and every file that it names against its hash.

    Raises:
        ModelFolderError: the card or a file was changed, a file is missing, or the card names one whose name matches
            none of the patterns `allowed`.
    """
    path = folder / CARD_NAME
    # of the file and not of `card`, which has no entries but those that this version knows
    if card.card_hash != hash_card(json.loads(path.read_text(encoding="utf-8"))):
        raise ModelFolderError("is not the file that was exported", place=path, advice=COPY_AGAIN)
    for name in card.hashes:
        if not any(fnmatch.fnmatch(name, pattern) for pattern in allowed):
            raise ModelFolderError(f"names a file of a kind that a model folder does not have: {name}", place=path)
    try:
        card.check_hashes(folder)
    except MismatchError as error:
        raise ModelFolderError.of(error, COPY_AGAIN) from error
