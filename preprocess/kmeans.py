"""Fit k-means centroids on a sample of frames; find the nearest centroid; keep centroids on disk without pickle.

The output folder holds centroids.npz (array `centroids`, (K, D) float32) and card.json.
"""

import argparse
import logging
from pathlib import Path

import numpy as np

from .card import VERSION, Card, check_hashes, hash_file, read_card, write_card
from .errors import MismatchError, PreprocessError
from .extractors import Extractor, describe, load_extractor
from .frame_sample import FrameSample
from .frames import frame_batches, read_spoken
from .outputs import whole_folder
from .units import MAX_UNITS

logger = logging.getLogger(__name__)

CENTROIDS_NAME = "centroids.npz"
ASSIGN_ROWS = 4096  # frames in one matrix product: 33 MB of distances at 2000 clusters


def sample_frames(manifest_path: Path, extractor: Extractor, portion: float, max_frames: int, seed: int) -> np.ndarray:
    """Sample frames of all utterances of a manifest that have audio; see `FrameSample`.

    Returns:
        (F, D) float32.

    Raises:
        ManifestError, AudioError, ExtractorError: a row, its audio or its frames cannot be used.
    """
    from tqdm import tqdm

    spoken = read_spoken(manifest_path)
    sample = FrameSample(portion, max_frames, seed)
    with tqdm(total=len(spoken), desc="frames", unit=" utterances") as progress:
        for batch in frame_batches(spoken, extractor):
            for item in batch:
                sample.add(item.spoken.utterance.id, item.frames)
            progress.update(len(batch))
    if sample.is_cut:
        logger.warning("the sample was cut to %d frames by --max-frames", max_frames)
    return sample.frames()


def fit_centroids(frames: np.ndarray, clusters: int, seed: int) -> tuple[np.ndarray, float]:
    """Fit k-means by mini-batches (Sculley 2010) as scikit-learn does.

    Args:
        frames: (F, D) float32.
        clusters: K, at most F.
        seed: of the initial centroids and the batches.

    Returns:
        centroids: (K, D) float32.
        inertia_per_frame: mean squared distance of the frames to their nearest centroid.

    Raises:
        PreprocessError: there are fewer frames than clusters.
    """
    from sklearn.cluster import MiniBatchKMeans

    if len(frames) < clusters:
        raise PreprocessError(
            f"k-means needs a frame for every cluster at least: expected {clusters} or more, found {len(frames)}; "
            "sample a larger --portion, give more audio, or ask for fewer --clusters"
        )
    # Measured with 2000 clusters on 50 000 frames of MFCC: three starts in place of one double the time for 0.1 % of
    # inertia, a random start is 1 % worse, 100 batches without improvement take 2.5 times as long as 30 for 0.3 %.
    model = MiniBatchKMeans(
        n_clusters=clusters,
        batch_size=10_000,
        init="k-means++",
        n_init=1,
        max_no_improvement=30,
        tol=0.0,
        reassignment_ratio=0.0,
        random_state=seed,
    ).fit(frames)
    return model.cluster_centers_.astype(np.float32), float(model.inertia_) / len(frames)


def assign_clusters(frames: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Nearest centroid of every frame, by Euclidean distance.

    Args:
        frames: (T, D) float32.
        centroids: (K, D) float32.

    Returns:
        (T,) int64 in 0..K - 1.

    Raises:
        MismatchError: the widths differ.
    """
    if frames.shape[1] != centroids.shape[1]:
        raise MismatchError(
            f"frames are {frames.shape[1]} wide, the centroids {centroids.shape[1]}; use the extractor of the k-means"
        )
    half_squares = 0.5 * np.einsum("kd,kd->k", centroids, centroids)
    labels = np.empty(len(frames), dtype=np.int64)
    for start in range(0, len(frames), ASSIGN_ROWS):
        rows = slice(start, start + ASSIGN_ROWS)
        # |x - c|^2 = |x|^2 + 2 (|c|^2 / 2 - x.c), and |x|^2 is the same for every c.
        labels[rows] = np.argmin(half_squares - frames[rows] @ centroids.T, axis=1)
    return labels


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
        "--max-frames", type=int, default=1_000_000, help="sample no more than these; default %(default)s"
    )
    parser.add_argument("--seed", type=int, default=0, help="of sample and fit; default %(default)s")
    parser.add_argument("--device", default="cpu", help="torch device of the encoder; default %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def run(arguments: argparse.Namespace) -> None:
    """The stage `kmeans`: manifest -> folder of centroids."""
    _check_ranges(arguments)
    extractor = load_extractor(arguments.extractor, arguments.layer, arguments.device)
    frames = sample_frames(arguments.manifest, extractor, arguments.portion, arguments.max_frames, arguments.seed)
    centroids, inertia = fit_centroids(frames, arguments.clusters, arguments.seed)
    card = {
        "stage": "kmeans",
        "version": VERSION,
        "extractor": describe(extractor),
        "clusters": arguments.clusters,
        "seed": arguments.seed,
        "portion": arguments.portion,
        "frames": len(frames),
        "inertia_per_frame": inertia,
    }
    save_kmeans(arguments.out, centroids, card)


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
