"""What a data-bin says of itself: its card, the table printed at the end, and the examples too short for CTC."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .card import VERSION, Card, hash_file, read_card, signature
from .dictionary import Dictionaries
from .languages import LanguageSymbols
from .provenance import common_kmeans
from .pruning import Coverage
from .splits import Split, find_languages
from .streams import StreamCounts
from .units import FIRST_CHARACTER

logger = logging.getLogger(__name__)

Counts = Mapping[str, Mapping[str, StreamCounts]]  # split -> stream -> counts


def make_card(
    folder: Path,
    splits: Sequence[Split],
    counts: Counts,
    subwords: Card,
    dictionaries: Dictionaries,
    symbols: LanguageSymbols | None,
    coverage: Coverage | None,
    repeat: int,
) -> Card:
    """The card of the data-bin whose files lie in `folder`."""
    card: Card = {
        "stage": "binarize",
        "version": VERSION,
        "languages": find_languages(splits).as_card(),
        "language_symbols": symbols.as_card() if symbols else None,
        "text_model": coverage.as_card(subwords["text_model"]) if coverage else None,
        "repeat": repeat,
        "num_units": subwords["num_units"],
        "first_unit_character": FIRST_CHARACTER,
        "dictionary": dictionaries.as_card(),
        "kmeans": _kmeans_card(folder, splits),
        "counts": {
            split.name: {stream: _count_entries(split, stream, found) for stream, found in counts[split.name].items()}
            for split in splits
        },
        "ratios": _ratios(splits[0], counts[splits[0].name], repeat),
    }
    hashed = ["dict.src.txt", "dict.tgt.txt", *(f"subwords/{name}" for name in sorted(subwords["hashes"]))]
    if (folder / "kmeans").is_dir():
        hashed += [f"kmeans/{name}" for name in sorted(read_card(folder / "kmeans", "kmeans")["hashes"])]
    card["hashes"] = {name: hash_file(folder / name) for name in hashed}
    card["signature"] = signature(card)
    return card


def write_infeasible(path: Path, counts: Counts, data_bin: Path) -> None:
    """Name the examples that a CTC cannot align, if there are any, and log one warning with their number."""
    rows = [row for streams in counts.values() for found in streams.values() for row in found.infeasible]
    if not rows:
        return
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("split\tstream\tname\tctc\tsource_length\tneeded\n")
        for row in rows:
            file.write(f"{row.split}\t{row.stream}\t{row.name}\t{row.ctc}\t{row.source_length}\t{row.needed}\n")
    logger.warning(
        "%d times a source is too short for a CTC of its labels (tokens and repetitions exceed the length); "
        "a CTC or transducer loss cannot learn from these examples: %s",
        len(rows),
        data_bin / path.name,
    )


def summary(card: Card, coverage: Coverage | None) -> str:
    """The tables that the stage prints: counts of each stream, and of a text model's pieces."""
    several = len(card["languages"]["target"]) > 1
    header = ("split", "stream", "examples", "source tokens", "target tokens", "transcripts", "too short for CTC")
    rows = [(*header, "target languages") if several else header]
    for split, streams in card["counts"].items():
        for stream, found in streams.items():
            too_short = f"{found['ctc_infeasible']} + {found['source_ctc_infeasible']}"
            numbers = [found[key] for key in ("examples", "source_tokens", "target_tokens", "transcripts")]
            languages = ", ".join(f"{language} {number}" for language, number in found["target_languages"].items())
            row = (split, stream, *map(str, numbers), too_short)
            rows.append((*row, languages) if several else row)
    lines = [*_align(rows), *_external_text(card["external_text"]), *(_align(coverage.table()) if coverage else [])]
    lines += [f"{name.replace('_', ' ')}: {value:.2f}" for name, value in card["ratios"].items() if value is not None]
    return "\n".join([*lines, card["signature"]])


def _external_text(entries: Sequence[Card]) -> list[str]:
    rows = [("external text", "pairs", "left out", "ratio", "written")]
    for entry in entries:
        names = " ".join(file["name"] for file in entry["files"])
        dropped, written = (
            ", ".join(f"{number} {name}" for name, number in entry[key].items()) for key in ("dropped", "written")
        )
        rows.append((names, str(entry["pairs"]), dropped or "0", f"{entry['ratio']:g}", written or "0"))
    return _align(rows) if entries else []


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _kmeans_card(folder: Path, splits: Sequence[Split]) -> Card | None:
    if (folder / "kmeans").is_dir():
        return read_card(folder / "kmeans", "kmeans")
    return common_kmeans({split.units_path: split.units_card for split in splits})


def _count_entries(split: Split, stream: str, found: StreamCounts) -> dict[str, Any]:
    return {
        "examples": found.examples,
        "target_languages": dict(sorted(found.target_languages.items())),
        "source_tokens": found.source_tokens,
        "target_tokens": found.target_tokens,
        "transcripts": found.transcripts,
        "seconds": _seconds(split) if stream == "st" else None,
        "run_lengths": split.units_card.get("run_lengths") if stream == "st" and split.units_card else None,
        "ctc_infeasible": sum(row.ctc == "target" for row in found.infeasible),
        "source_ctc_infeasible": sum(row.ctc == "transcript" for row in found.infeasible),
    }


def _seconds(split: Split) -> float | None:
    """Length of the split's speech; None where neither the units' card nor the manifest says it."""
    if split.units_card is not None:
        return split.units_card["seconds"]
    durations = [row.duration for row in split.utterances if row.audio is not None]
    known = [duration for duration in durations if duration is not None]
    return round(sum(known), 3) if known and len(known) == len(durations) else None


def _ratios(split: Split, counts: Mapping[str, StreamCounts], repeat: int) -> dict[str, float | None]:
    """Of the first split, usually train; None where unknown."""
    seconds = _seconds(split) if split.units else None
    speech = counts.get("st", StreamCounts())
    num_frames = split.units_card["frames"] if split.units_card else None
    repeated_tokens = repeat * speech.transcript_tokens
    return {
        "units_per_second": _divide(num_frames, seconds),
        "deduplicated_units_per_second": _divide(sum(map(len, split.units.values())), seconds),
        "unit_subwords_per_second": _divide(speech.source_tokens, seconds),
        "repeated_text_to_speech_length": _divide(repeated_tokens or None, speech.transcribed_source_tokens),
    }


def _divide(numerator: float | None, denominator: float | None) -> float | None:
    return numerator / denominator if numerator is not None and denominator else None
