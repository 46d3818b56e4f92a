"""Time and inertia of the k-means of `preprocess` and of the field's recipe, scikit-learn's MiniBatchKMeans.

    python examples/benchmarks/kmeans.py --frames FRAMES.npy [--clusters 2000 500]
    python examples/benchmarks/kmeans.py --manifest train.tsv --extractor FOLDER --layer 6

The recipe is that of ESPnet and of fairseq's HuBERT: k-means++, n_init 20, batches of 10 000, max_no_improvement 100,
tol 0, reassignment_ratio 0. It takes many minutes at 2000 clusters. Inertia is the mean squared distance of all frames
to their nearest centroid, in float64. Seconds on the clock and of all processor cores together; the second suffers
less from other work on the machine.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from preprocess.clustering.lloyd import fit_centroids
from preprocess.speech.extractors import load_extractor
from preprocess.speech.frames import extract_frames, read_spans


def fields_recipe(frames: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """Centroids (K, D) by scikit-learn, of frames (F, D)."""
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(
        n_clusters=clusters,
        init="k-means++",
        n_init=20,
        batch_size=10_000,
        max_no_improvement=100,
        tol=0.0,
        reassignment_ratio=0.0,
        random_state=seed,
        compute_labels=False,
    )
    return model.fit(frames).cluster_centers_


def ours(frames: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """Centroids (K, D) by `preprocess`, of frames (F, D)."""
    return fit_centroids(frames, clusters, seed)[0]


def inertia_per_frame(frames: np.ndarray, centroids: np.ndarray) -> float:
    """Mean squared distance to the nearest centroid, in float64."""
    centroids = centroids.astype(np.float64)
    half_squares = 0.5 * (centroids**2).sum(axis=1)
    total = 0.0
    for begin in range(0, len(frames), 4096):
        some = frames[begin : begin + 4096].astype(np.float64)
        labels = (half_squares - some @ centroids.T).argmin(axis=1)
        total += float(((some - centroids[labels]) ** 2).sum())
    return total / len(frames)


def make_frames(manifest: Path, source: str, layer: int | None, device: str) -> np.ndarray:
    """All frames of the audio of a manifest, (F, D) float32."""
    from tqdm import tqdm

    extractor = load_extractor(source, layer, device)
    spans = read_spans(manifest, check_audio=True)
    frames = []
    for begin in tqdm(range(0, len(spans), 100), desc="frames", unit="00 spans"):
        frames += [item.frames for item in extract_frames(spans[begin : begin + 100], extractor, skip_faults=False)]
    return np.concatenate(frames)


def measure(
    fit: Callable[[np.ndarray, int, int], np.ndarray], frames: np.ndarray, clusters: int, seed: int
) -> tuple[float, float, float]:
    """Inertia a frame, seconds on the clock, seconds of processor cores."""
    clock, processor = time.perf_counter(), time.process_time()
    centroids = fit(frames, clusters, seed)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    return inertia_per_frame(frames, centroids), clock, processor


def compare(frames: np.ndarray, clusters: int, seed: int) -> None:
    """Measure both ways and print the table."""
    print(f"\n{len(frames)} frames, width {frames.shape[1]}, {clusters} clusters, seed {seed}")
    print(f"{'':14} {'inertia':>12} {'seconds':>9} {'core seconds':>13}", flush=True)
    results = []
    for name, fit in (("preprocess", ours), ("field's recipe", fields_recipe)):
        results.append(measure(fit, frames, clusters, seed))
        inertia, clock, processor = results[-1]
        print(f"{name:14} {inertia:12.6g} {clock:9.1f} {processor:13.1f}", flush=True)
    inertia, clock, processor = (found / reference for found, reference in zip(*results, strict=True))
    print(f"{'ratio':14} {inertia:12.4f} {clock:9.3f} {processor:13.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--frames", type=Path, help=".npy file of (F, D) float32 frames")
    source.add_argument("--manifest", type=Path, help="make the frames of its audio")
    parser.add_argument("--extractor", default="mfcc", help="with --manifest; default %(default)s")
    parser.add_argument("--layer", type=int, help="with --manifest")
    parser.add_argument("--device", default="cpu", help="of the extractor, with --manifest; default %(default)s")
    parser.add_argument("--clusters", type=int, nargs="+", default=[2000], help="default %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default %(default)s")
    arguments = parser.parse_args()
    if arguments.frames:
        frames = np.load(arguments.frames, allow_pickle=False)
    else:
        frames = make_frames(arguments.manifest, arguments.extractor, arguments.layer, arguments.device)
    for clusters in arguments.clusters:
        compare(frames, clusters, arguments.seed)


if __name__ == "__main__":
    main()
