"""The stage `units`: audio -> frames -> nearest centroids -> deduplicated units, one line an utterance.

Rows without audio are left out. Rows that share their audio stand together, where the first of them does. FILE.units
and FILE.card.json are written when all shards of the audio are done (see `shards`); a run that was interrupted, or met
an utterance that it could not use, goes on from there.
"""

import argparse
import functools
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import shards as shards_module
from .card import VERSION, Card, hash_file
from .errors import PreprocessError
from .extractors import load_described
from .faults import faults_path
from .frames import Segment, extract_frames
from .kmeans import load_kmeans
from .lock import one_at_a_time
from .nearest_centroid import NearestCentroid
from .outputs import whole_file
from .shards import Arrays, Shards
from .units import deduplicate, format_units


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the stage `units`."""
    parser.add_argument("--manifest", type=Path, required=True, help="rows with audio become lines")
    parser.add_argument("--kmeans", type=Path, required=True, help="folder that the stage kmeans wrote")
    parser.add_argument("--extractor", help="where the extractor of the k-means lies now; default: where it lay then")
    parser.add_argument("--out", type=Path, required=True, help="FILE.units to write, FILE.card.json beside it")
    shards_module.add_arguments(parser)


@dataclass(frozen=True)
class UnitsTask:
    """Task of `Shards`: the deduplicated units of some segments.

    Arrays: units and run_lengths (sum of U,) int32, one segment after the other; num_units (S,) = U, num_frames (S,)
    and seconds (S,) of each; faults.
    """

    kmeans: Path
    centroids_hash: str
    extractor: str | None
    device: str
    skip_faults: bool

    def __call__(self, segments: Sequence[Segment]) -> Arrays:
        nearest_centroid, card = _load_kmeans(self.kmeans, self.centroids_hash, self.device)
        extractor = load_described(card["extractor"], self.device, self.extractor)
        nothing = np.zeros(0, dtype=np.int64)
        runs = [(nothing, nothing)] * len(segments)
        num_frames, seconds, faults = np.zeros(len(segments), np.int64), np.zeros(len(segments)), [""] * len(segments)
        for item in extract_frames(segments, extractor, self.skip_faults):
            at = item.position
            runs[at] = deduplicate(nearest_centroid(item.frames))
            num_frames[at], seconds[at], faults[at] = len(item.frames), item.seconds, item.fault
        units, run_lengths = (np.concatenate(arrays).astype(np.int32) for arrays in zip(*runs, strict=True))
        return {
            "units": units,
            "run_lengths": run_lengths,
            "num_units": np.array([len(units) for units, _ in runs]),
            "num_frames": num_frames,
            "seconds": seconds,
            "faults": np.array(faults),
        }


@functools.lru_cache(maxsize=1)  # once a worker; the hash tells apart what lay in one folder at different times
def _load_kmeans(folder: Path, centroids_hash: str, device: str) -> tuple[NearestCentroid, Card]:
    centroids, card = load_kmeans(folder)
    return NearestCentroid(centroids, device), card


@one_at_a_time
def run(arguments: argparse.Namespace) -> None:
    """The stage `units`: manifest and k-means folder -> FILE.units and its card."""
    if arguments.out.suffix != ".units":
        raise PreprocessError(f"--out must be a file named *.units, got {arguments.out}")
    _, kmeans_card = load_kmeans(arguments.kmeans)
    shards = Shards(arguments)
    task = UnitsTask(
        kmeans=Path(os.path.abspath(arguments.kmeans)),
        centroids_hash=" ".join(kmeans_card["hashes"].values()),
        extractor=arguments.extractor,
        device=arguments.device,
        skip_faults=arguments.on_error == "skip",
    )
    shards.compute(task)
    card = {
        "stage": "units",
        "version": VERSION,
        "kmeans": kmeans_card,
        "kmeans_folder": os.path.relpath(arguments.kmeans, arguments.out.parent),
        "skipped": len(shards.faults),
    }
    write_units(arguments.out, shards, card)
    shards.remove()


def write_units(path: Path, shards: Shards, card: Card) -> None:
    """Write FILE.units and FILE.card.json, whole; counts and hashes are added to the card.

    Raises:
        OutputError: a file cannot be written.
    """
    counts = {"utterances": 0, "seconds": 0.0, "frames": 0, "deduplicated_units": 0}
    run_lengths: Counter[int] = Counter()
    with whole_file(path) as temporary:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            for line in _lines(shards):
                file.write(format_units(line.utterance_id, line.units))
                counts["utterances"] += 1
                counts["seconds"] += line.seconds
                counts["frames"] += line.num_frames
                counts["deduplicated_units"] += len(line.units)
                run_lengths.update(line.run_lengths)
        counts["seconds"] = round(counts["seconds"], 3)
        card |= counts | {"run_lengths": {str(length): number for length, number in sorted(run_lengths.items())}}
        card["hashes"] = {path.name: hash_file(temporary)}
        if shards.faults:
            card["hashes"][faults_path(path).name] = hash_file(faults_path(path))
        # The card first: with the units of an earlier run beside it, it does not match, which later stages refuse.
        with whole_file(path.with_suffix(".card.json")) as temporary_card:
            temporary_card.write_text(json.dumps(card, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class _Line:
    utterance_id: str
    units: list[int]
    run_lengths: list[int]
    num_frames: int
    seconds: float


def _lines(shards: Shards) -> Iterator[_Line]:
    for segments, arrays in shards.results():
        starts = np.cumsum(arrays["num_units"])[:-1]
        units, run_lengths = (np.split(arrays[name], starts) for name in ("units", "run_lengths"))
        columns = zip(segments, units, run_lengths, arrays["num_frames"], arrays["seconds"], strict=True)
        for segment, segment_units, lengths, num_frames, seconds in columns:
            if num_frames:
                for utterance_id in segment.ids:
                    yield _Line(utterance_id, segment_units.tolist(), lengths.tolist(), int(num_frames), float(seconds))
