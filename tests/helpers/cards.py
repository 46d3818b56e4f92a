"""Cards as the files that they are, for tests of what stands on disk."""

import json
from pathlib import Path
from typing import Any


def read_card(folder: Path, stage: str) -> dict[str, Any]:
    """Content of FOLDER/card.json, which that stage wrote."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["stage"] == stage
    return card
