"""Names of the examples of a batch, for messages."""

from collections.abc import Mapping
from pathlib import Path

from preprocess.errors import MismatchError
from preprocess.files.origin import read_origins

from .batch import Batch

NAMES_SHOWN = 10


def example_names(batch: Batch) -> dict[str, list[str]]:
    """Ids of the examples of a batch, by split and stream, such as `test.st`.

    They are those in SPLIT.STREAM.origin.tsv; where there is none, rows. Examples of no file have no name.
    """
    rows: dict[Path, list[int]] = {}
    for origin in dict.fromkeys(batch.get("origin", [])):  # a text twin is named as its example
        if origin:
            prefix, _, row = origin.rpartition(":")
            rows.setdefault(Path(prefix), []).append(int(row))
    return {prefix.name: _names(prefix, wanted) for prefix, wanted in rows.items()}


def list_names(names: Mapping[str, list[str]], limit: int | None = NAMES_SHOWN) -> str:
    """Names as text, `test.st 'a', 'b' and 3 more`; of each stream at most `limit`, None: all."""
    parts = []
    for stream, found in names.items():
        more = len(found) - len(found[:limit])
        parts.append(f"{stream} {', '.join(map(repr, found[:limit]))}" + (f" and {more} more" if more else ""))
    return "; ".join(parts)


def _names(prefix: Path, rows: list[int]) -> list[str]:
    wanted = set(rows)
    try:
        origins = enumerate(read_origins(prefix.with_name(f"{prefix.name}.origin.tsv")))
        found = {row: origin.id for row, origin in origins if row in wanted}
    except (OSError, MismatchError):  # there is none beside older data-bins, or it is damaged
        found = {}
    return [found.get(row, f"row {row}") for row in rows]
