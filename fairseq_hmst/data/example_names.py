"""Names of the examples of a batch, for messages; and its examples, one by one."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from preprocess.files.reading.escaping import unescape_field

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


def single_examples(batch: Batch) -> Iterator[Batch]:
    """Batches of one example each, with what a search reads of it."""
    inputs = batch["net_input"]
    for row in range(len(batch["id"])):
        only = slice(row, row + 1)
        single: Batch = {
            "id": batch["id"][only],
            "net_input": {"src_tokens": inputs["src_tokens"][only], "src_lengths": inputs["src_lengths"][only]},
            "origin": batch.get("origin", [])[only],
        }
        if "prev_output_tokens" in inputs:
            single["net_input"]["prev_output_tokens"] = inputs["prev_output_tokens"][only]
        yield single


def _names(prefix: Path, rows: list[int]) -> list[str]:
    found, wanted = {}, set(rows)
    try:
        with open(f"{prefix}.origin.tsv", encoding="utf-8", newline="\n") as lines:
            for row, line in enumerate(lines, start=-1):  # behind the header
                if row in wanted:
                    found[row] = unescape_field(line.split("\t")[0])
    except (OSError, ValueError):  # there is none beside older data-bins, or it is damaged
        found = {}
    return [found.get(row, f"row {row}") for row in rows]
