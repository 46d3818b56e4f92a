"""The stage `kmeans`: centroids of a sample of frames, kept on disk without pickle.

The output folder holds centroids.npz (array `centroids`, (K, D) float32) and card.json.
"""

import argparse
from pathlib import Path

import numpy as np

from . import shards as shards_module
from .card import VERSION, Card, check_hashes, hash_file, read_card, write_card
from .errors import MismatchError, PreprocessError
from .extractors import describe, load_extractor, unload_extractor
from .frame_sample import sample_frames
from .lloyd import fit_centroids
from .lock import one_at_a_time
from .outputs import whole_folder
from .units import MAX_UNITS

CENTROIDS_NAME = "centroids.npz"


def load_kmeans(folder: Path) -> tuple[np.ndarray, Card]:
    """Centroids (K, D) float32 and card of a folder that this stage wrote.

    Raises:
        PreprocessError: the folder is not a whole output of this stage.
        MismatchError: the centroids have changed since, or are not what the card says.
    """
    card = read_card(folder, "kmeans")
    check_hashes(folder, card)
    path = Path(folder) / CENTROIDS_NAME
    with np.load(path, allow_pickle=False) as arrays:
        centroids = arrays["centroids"]
    expected = (card["clusters"], card["extractor"]["width"])
    if centroids.shape != expected:
        raise MismatchError(f"{path}: the card says {expected} (clusters, width), found {centroids.shape}")
    return centroids, card


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the stage `kmeans`."""
    parser.add_argument("--manifest", type=Path, required=True, help="rows with audio are read, usually train.tsv")
    parser.add_argument(
        "--extractor", required=True, help="mfcc, or a folder or hub name of WavLM, HuBERT, wav2vec 2.0, ..."
    )
    parser.add_argument("--layer", type=int, help="transformer layer, from 1; not for mfcc; paper: 21 of WavLM-large")
    parser.add_argument("--clusters", type=int, default=2000, help="number of units; default %(default)s")
    parser.add_argument("--portion", type=float, default=0.1, help="of the frames, above 0, to 1; default %(default)s")
    parser.add_argument(
        "--max-frames",
        type=int,
        default=500_000,
        help="sample no more than these; default %(default)s, 2 GB at a width of 1024",
    )
    parser.add_argument("--seed", type=int, default=0, help="of sample and fit; default %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    shards_module.add_arguments(parser)


@one_at_a_time
def run(arguments: argparse.Namespace) -> None:
    """The stage `kmeans`: manifest -> folder of centroids."""
    _check_ranges(arguments)
    shards = shards_module.Shards(arguments)
    extractor = describe(load_extractor(arguments.extractor, arguments.layer, shards.own_device))
    if not shards.is_serial:
        unload_extractor()  # each worker has its own
    frames = sample_frames(shards, extractor, arguments)
    centroids, inertia = fit_centroids(frames, arguments.clusters, arguments.seed, shards.own_device)
    card = {
        "stage": "kmeans",
        "version": VERSION,
        "extractor": extractor,
        "clusters": arguments.clusters,
        "seed": arguments.seed,
        "portion": arguments.portion,
        "frames": len(frames),
        "skipped": len(shards.faults),
        "inertia_per_frame": inertia,
    }
    save_kmeans(arguments.out, centroids, card)
    shards.remove()


def save_kmeans(folder: Path, centroids: np.ndarray, card: Card) -> None:
    """Write centroids (K, D) and their card, hashes added, as a whole folder.

    Raises:
        OutputError: the folder cannot be written.
    """
    with whole_folder(folder) as temporary:
        np.savez(temporary / CENTROIDS_NAME, centroids=centroids)
        write_card(temporary, card | {"hashes": {CENTROIDS_NAME: hash_file(temporary / CENTROIDS_NAME)}})


def _check_ranges(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.clusters <= MAX_UNITS:
        raise PreprocessError(f"--clusters must lie in 1..{MAX_UNITS}, got {arguments.clusters}")
    if not 0 < arguments.portion <= 1:
        raise PreprocessError(f"--portion must lie above 0 and be at most 1, got {arguments.portion}")
    if arguments.max_frames < arguments.clusters:
        raise PreprocessError(f"--max-frames must be at least --clusters, got {arguments.max_frames}")
    if not 0 <= arguments.seed < 2**32:
        raise PreprocessError(f"--seed must lie in 0..{2**32 - 1}, got {arguments.seed}")
