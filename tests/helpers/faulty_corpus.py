"""The small corpus of `spoken_corpus` with planted faults, so that a report has something to warn of."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from spoken_corpus import make_corpus, run_binarize, write_units_card

from preprocess.files.cards.stage_cards import DoubtfulUnits, KmeansCard, SomeRows, UnitsCard
from preprocess.files.cards.units_cards import units_card_path
from preprocess.files.manifest import Utterance, read_manifest, write_manifest
from preprocess.files.units import format_units, read_units

LONG_RUNS = [3, 4, 3, 5, 3, 6, 3, 7, 3, 8, 3]  # unit 3 as often as it can be
ROWS: dict[str, Callable[[Utterance], Utterance]] = {
    "train-0": lambda row: replace(row, duration=0.2),  # spoken 7 times too fast
    "train-4": lambda row: replace(row, duration=9.0),  # runs 6 times too long
    "train-5": lambda row: replace(row, tgt_text=" ".join([row.tgt_text] * 6)),
    "train-6": lambda row: replace(row, src_text=" ".join([row.src_text] * 6)),
    "test-2": lambda row: replace(row, tgt_text=f"{row.tgt_text} ☃"),
}
UNITS = {"train-1": [3], "train-2": LONG_RUNS}
SAME_UNITS = {"dev-0": "train-7", "test_far-0": "dev-1"}
DOUBTFUL_UNITS = DoubtfulUnits(empty=(11,), near_equal=((3, 7), (5, 9)))
CANCELLED = {"test": SomeRows(3, ("test-1", "test-4"))}
SAME_TEXTS = {"test-1": "train-10"}


def make_faulty_data_bin(folder: Path) -> Path:
    """Write folder/{manifest,units,...} and folder/data-bin."""
    make_corpus(folder)
    kmeans = KmeansCard.read(folder / "kmeans")
    replace(kmeans, doubtful=DOUBTFUL_UNITS).write(folder / "kmeans")
    rows = {path.stem: read_manifest(path) for path in sorted((folder / "manifest").glob("*.tsv"))}
    units = {stem: dict(read_units(folder / "units" / f"{stem}.units")) for stem in rows}
    by_id = {row.id: row for split in rows.values() for row in split}
    units_by_id = {identifier: row for split in units.values() for identifier, row in split.items()}
    for stem, split in rows.items():
        changed = [_spoil(row, by_id) for row in split]
        write_manifest(folder / "manifest" / f"{stem}.tsv", changed)
        path = folder / "units" / f"{stem}.units"
        lines = (
            format_units(identifier, UNITS.get(identifier) or units_by_id[SAME_UNITS.get(identifier, identifier)])
            for identifier in units[stem]
        )
        path.write_text("".join(lines), encoding="utf-8")
        write_units_card(path, folder / "kmeans")
        card = UnitsCard.read_file(units_card_path(path))
        replace(card, cancelled=CANCELLED.get(stem, SomeRows(0, ()))).write_file(units_card_path(path))
    return run_binarize(folder, "--mt-text", folder / "mt.en", folder / "mt.fr")


def _spoil(row: Utterance, by_id: dict[str, Utterance]) -> Utterance:
    split, _, number = row.id.partition("-")
    speakers = {"train": f"s{int(number) % 4}", "dev": "s0" if number == "0" else "d"}
    same = by_id[SAME_TEXTS.get(row.id, row.id)]
    row = replace(row, speaker=speakers.get(split, ""), src_text=same.src_text, tgt_text=same.tgt_text)
    return ROWS.get(row.id, lambda row: row)(row)
