"""Cards as the files that they are, for tests of what stands on disk."""

import json
import shutil
from pathlib import Path
from typing import Any

from preprocess.files.cards.card import OWN_HASH, hash_card
from preprocess.files.hashing import hash_file


def read_card(folder: Path, stage: str) -> dict[str, Any]:
    """Content of FOLDER/card.json, which that stage wrote."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["stage"] == stage
    return card


def edit_card(path: Path, *, remeasure: bool = False, **changes: Any) -> None:
    """Change entries of a card (`...` removes one) as somebody would who can seal it again.

    Args:
        path: of the card.
        remeasure: whether the files that it names are taken as they are now; those that are gone are named no more.
        changes: new values.
    """
    card = json.loads(path.read_text(encoding="utf-8")) | changes
    card = {key: value for key, value in card.items() if value is not ...}
    if remeasure:
        there = [name for name in card["hashes"] if (path.parent / name).is_file()]
        card["hashes"] = {name: measure(path.parent / name) for name in there}
    path.write_text(json.dumps(card | {OWN_HASH: hash_card(card)}, indent=2), encoding="utf-8")


def measure(path: Path) -> dict[str, Any]:
    """Entry of a file in the `hashes` of a card."""
    return {"size": path.stat().st_size, "sha256": hash_file(path)}


def without_transcripts(data_bin: Path, folder: Path) -> Path:
    """A copy of a data-bin whose card says that no speech of train has a transcript."""
    other = Path(shutil.copytree(data_bin, folder / "other"))
    counts = read_card(other, "binarize")["counts"]
    counts["train"]["st"]["transcripts"] = 0
    edit_card(other / "card.json", counts=counts)
    return other
