"""A small corpus of made-up units and sentences, up to its subwords, and the stage `binarize` run on it."""

import argparse
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from preprocess.__main__ import main
from preprocess.clustering.centroids import save_kmeans
from preprocess.files.cards.named_files import hash_files
from preprocess.files.cards.stage_cards import DoubtfulUnits, ExtractorDescription, KmeansCard, SomeRows, UnitsCard
from preprocess.files.cards.units_cards import units_card_path
from preprocess.files.manifest import Utterance, write_manifest
from preprocess.files.units import format_units, read_units
from preprocess.stages import binarize

NUM_UNITS = 12
SIZES = {"train": 40, "dev": 5, "test": 6, "test_far": 4}
ENGLISH = ["a", "dog", "barks", "at", "night", '"no"', "it's"]
FRENCH = ["un", "chien", "aboie", "la", "nuit", "«\u00a0non\u00a0»", "l'été"]


def make_rows(split: str, folder: Path) -> Iterator[tuple[Utterance, list[int] | None]]:
    """Rows with audio, without a transcript (every 5th), and without audio (the last two of train)."""
    generator = random.Random(split)
    for index in range(SIZES[split]):
        words = generator.choices(range(len(ENGLISH)), k=generator.randint(2, 4))
        units = generator.sample(range(NUM_UNITS), 11)
        has_audio = split != "train" or index < SIZES[split] - 2
        transcript = "" if index % 5 == 3 and has_audio else " ".join(ENGLISH[word] for word in words)
        yield (
            Utterance(
                id=f"{split}-{index}",
                audio=folder / "silence.wav" if has_audio else None,
                offset=0.0,
                duration=1.5 if has_audio else None,
                src_lang="en",
                tgt_lang="fr",
                src_text=transcript,
                tgt_text=" ".join(FRENCH[word] for word in words),
                speaker="",
            ),
            units if has_audio else None,
        )


def make_kmeans(folder: Path, seed: int) -> None:
    centroids = np.random.default_rng(seed).standard_normal((NUM_UNITS, 3)).astype(np.float32)
    card = KmeansCard(
        extractor=ExtractorDescription("mfcc", "mfcc", 0, "", frame_shift_seconds=0.02, width=3),
        clusters=NUM_UNITS,
        seed=seed,
        portion=1.0,
        frames=NUM_UNITS,
        skipped=0,
        inertia_per_frame=0.0,
        doubtful=DoubtfulUnits((), ()),
        hashes={},
    )
    save_kmeans(folder, centroids, card)


def write_units_card(units_path: Path, kmeans: Path) -> None:
    """What the stage `units` writes beside FILE.units; 39 frames an utterance of 1.5 s."""
    rows = [units for _, units in read_units(units_path)]
    card = UnitsCard(
        kmeans=KmeansCard.read(kmeans),
        kmeans_folder=os.path.relpath(kmeans, units_path.parent),
        skipped=0,
        utterances=len(rows),
        seconds=1.5 * len(rows),
        frames=39 * len(rows),
        deduplicated_units=sum(map(len, rows)),
        run_lengths={},
        cancelled=SomeRows(0, ()),
        hashes=hash_files(units_path.parent, [units_path.name]),
    )
    card.write_file(units_card_path(units_path))


def make_corpus(folder: Path) -> None:
    """folder/{manifest,units,kmeans,subwords,mt.en,mt.fr}."""
    for name in ("manifest", "units"):
        (folder / name).mkdir(parents=True)
    (folder / "manifest" / "silence.wav").touch()
    make_kmeans(folder / "kmeans", seed=0)
    for split in SIZES:
        rows = list(make_rows(split, folder / "manifest"))
        write_manifest(folder / "manifest" / f"{split}.tsv", [row for row, _ in rows])
        lines = [format_units(row.id, units) for row, units in rows if units is not None]
        random.Random(1).shuffle(lines)  # the order of the manifest counts
        (folder / "units" / f"{split}.units").write_text("".join(lines), encoding="utf-8")
        write_units_card(folder / "units" / f"{split}.units", folder / "kmeans")
    train = str(folder / "manifest" / "train.tsv")
    options = ["--units", str(folder / "units" / "train.units"), "--source-text", train, "--target-text", train]
    sizes = ["--unit-vocab", "14", "--source-vocab", "19", "--target-vocab", "22"]
    assert main(["subwords", *options, *sizes, "--out", str(folder / "subwords")]) == 0
    (folder / "mt.en").write_text("a dog\nat  night\n", encoding="utf-8")
    (folder / "mt.fr").write_text("un chien\nla nuit\n", encoding="utf-8")


def arguments_of(folder: Path, *more: object) -> list[str]:
    options = [
        "--manifest-dir",
        folder / "manifest",
        "--units-dir",
        folder / "units",
        "--subwords",
        folder / "subwords",
    ]
    return ["binarize", *map(str, options), "--out", str(folder / "data-bin"), *map(str, more)]


def run_binarize(folder: Path, *more: object) -> Path:
    """Run the stage with its own parser, errors not caught."""
    parser = argparse.ArgumentParser()
    binarize.add_arguments(parser)
    binarize.run(parser.parse_args(arguments_of(folder, *more)[1:]))
    return folder / "data-bin"
