"""Units that keep their repetitions, one a frame, for an experiment without de-duplication.

    python examples/evidence/corpora/units_with_repetitions.py --manifest-dir DIR --kmeans DIR --out DIR

A units file has no equal neighbours, so every second frame of a run is written as unit + number of clusters: 7 7 7 3
becomes 7 71 7 3 with 64 clusters. Nothing is lost by it, and there are as many tokens as frames.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from preprocess.clustering.centroids import load_kmeans
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.files.splits import find_manifests
from preprocess.files.units import deduplicate, format_units
from preprocess.speech.extractors import load_described
from preprocess.speech.frames import extract_frames, read_spans

BATCH = 100  # spans


def alternate(units: np.ndarray, clusters: int) -> np.ndarray:
    """Give every second frame of a run another unit: (T,) units to (T,) of which no neighbours are equal."""
    _, run_lengths = deduplicate(units)
    positions = np.concatenate([np.arange(length) for length in run_lengths])
    return units + clusters * (positions % 2)


def encode(manifest: Path, kmeans: Path) -> Iterator[str]:
    """Yield the lines of a units file, of all audio of a manifest."""
    centroids, card = load_kmeans(kmeans)
    extractor, nearest_centroid = load_described(card.extractor, "cpu", None), NearestCentroid(centroids, "cpu")
    spans = read_spans(manifest, check_audio=True)
    for first in range(0, len(spans), BATCH):
        for item in extract_frames(spans[first : first + BATCH], extractor, skip_faults=False):
            units = alternate(nearest_centroid(item.frames), len(centroids))
            yield from (format_units(name, units) for name in item.span.ids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest-dir", type=Path, required=True)
    parser.add_argument("--kmeans", type=Path, required=True, help="folder that the stage kmeans wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder of SPLIT.units")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for manifest in find_manifests(arguments.manifest_dir).values():
        text = "".join(encode(manifest, arguments.kmeans))
        (arguments.out / f"{manifest.stem}.units").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
