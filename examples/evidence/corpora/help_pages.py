"""Manifests, units, external text and a recipe from units and parallel texts.

    python examples/evidence/corpora/help_pages.py --units FOLDER --target de --speech-rows 6000 --out OUT

FOLDER holds SPLIT.units (id<TAB>de-duplicated units) and SPLIT.{en,TARGET} of train, dev and test, and perhaps
mt.{en,TARGET}, more text; SPLIT.tsv, where there is one, names the speakers in a column `voice`. The first
--speech-rows rows of train are speech; the texts of the others and of mt become OUT/external.tsv. OUT/manifest has
manifests whose audio files need not exist, OUT/units the units; OUT/recipe.yaml makes a data-bin of both.
"""

import argparse
import csv
from pathlib import Path

from preprocess.files.manifest import Utterance, write_manifest

SOURCE = "en"
SPLITS = ("train", "dev", "test")
RECIPE = """\
out: data
manifest: manifest
units: units
subwords: {unit-vocab: 1000, source-vocab: 600, target-vocab: 600}
binarize: {repeat: 4}
"""


def read_lines(path: Path) -> list[str]:
    """Lines of a text file, without their ends."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def write_lines(path: Path, lines: list[str]) -> None:
    """Write lines, and the folders above the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_split(folder: Path, split: str, target: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Lines of units (none for text alone) and pairs of sentences, parallel.

    Raises:
        ValueError: the files have different numbers of lines.
    """
    pairs = list(zip(*(read_lines(folder / f"{split}.{side}") for side in (SOURCE, target)), strict=True))
    path = folder / f"{split}.units"
    units = read_lines(path) if path.is_file() else []
    if units and len(units) != len(pairs):
        raise ValueError(f"{path} has {len(units)} lines, {split}.{SOURCE} has {len(pairs)}")
    return units, pairs


def read_voices(folder: Path, split: str, rows: int) -> list[str]:
    """Voices of a split's rows, the column `voice` of SPLIT.tsv; empty ones if there is no such file.

    Raises:
        ValueError: the file has another number of rows.
    """
    path = folder / f"{split}.tsv"
    if not path.is_file():
        return [""] * rows
    with path.open(encoding="utf-8", newline="") as table:
        voices = [row["voice"] for row in csv.DictReader(table, delimiter="\t")]
    if len(voices) != rows:
        raise ValueError(f"{path} has {len(voices)} rows, {split}.units has {rows}")
    return voices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--target", choices=["de", "es", "fr"], default="de")
    parser.add_argument("--speech-rows", type=int, help="default: all")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    manifests = (arguments.out / "manifest").resolve()
    manifests.mkdir(parents=True, exist_ok=True)
    external: list[tuple[str, str]] = []
    for split in SPLITS:
        units, pairs = read_split(arguments.units, split, arguments.target)
        voices = read_voices(arguments.units, split, len(units))
        if split == "train":
            external = pairs[arguments.speech_rows :] if arguments.speech_rows else []
            units, pairs = units[: arguments.speech_rows], pairs[: arguments.speech_rows]
        utterances = []
        for line, texts, voice in zip(units, pairs, voices[: len(units)], strict=True):
            name = line.split("\t")[0]
            audio = manifests / f"{name}.wav"
            utterances.append(Utterance(name, audio, 0.0, None, SOURCE, arguments.target, *texts, speaker=voice))
        write_manifest(manifests / f"{split}.tsv", utterances)
        write_lines(arguments.out / "units" / f"{split}.units", units)
    if (arguments.units / f"mt.{SOURCE}").is_file():
        external += read_split(arguments.units, "mt", arguments.target)[1]
    rows = [f"{source}\t{translation}" for source, translation in external]
    write_lines(arguments.out / "external.tsv", ["src_text\ttgt_text", *rows])
    (arguments.out / "recipe.yaml").write_text(RECIPE, encoding="utf-8")


if __name__ == "__main__":
    main()
