"""Time and inertia of the k-means of `preprocess` and of the field's recipe, scikit-learn's MiniBatchKMeans.

    python examples/benchmarks/kmeans.py --frames FRAMES.npy [--clusters 2000 500]
    python examples/benchmarks/kmeans.py --manifest train.tsv --extractor FOLDER --layer 6
    python examples/benchmarks/kmeans.py --random 1000000 1024 --device cuda --methods preprocess

The recipe is that of ESPnet and of fairseq's HuBERT: k-means++, n_init 20, batches of 10 000, max_no_improvement 100,
tol 0, reassignment_ratio 0. It takes many minutes at 2000 clusters, and runs on the CPU whatever --device says. Inertia
is the mean squared distance of all frames to their nearest centroid, in float64. Seconds on the clock and of all
processor cores together; the second suffers less from other work on the machine. Random frames are scattered around
random centres, twice as many as clusters.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from results import Results, add_options
from stopwatch import timed

from preprocess.clustering.lloyd import fit_centroids
from preprocess.speech.extractors import load_extractor
from preprocess.speech.frames import extract_frames, read_spans

BLOCK = 4096  # frames in one matrix product


def fields_recipe(frames: np.ndarray, clusters: int, seed: int, device: str) -> np.ndarray:
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


def ours(frames: np.ndarray, clusters: int, seed: int, device: str) -> np.ndarray:
    """Centroids (K, D) by `preprocess`, of frames (F, D)."""
    return fit_centroids(frames, clusters, seed, device)[0]


Fit = Callable[[np.ndarray, int, int, str], np.ndarray]
METHODS: dict[str, Fit] = {"preprocess": ours, "field's recipe": fields_recipe}


def inertia_per_frame(frames: np.ndarray, centroids: np.ndarray, device: str) -> float:
    """Mean squared distance to the nearest centroid, in float64."""
    on_device = torch.from_numpy(centroids).to(device, torch.float64)
    total = 0.0
    for begin in range(0, len(frames), BLOCK):
        some = torch.from_numpy(frames[begin : begin + BLOCK]).to(device, torch.float64)
        labels = (0.5 * on_device.square().sum(1) - some @ on_device.T).argmin(dim=1)
        total += float((some - on_device[labels]).square().sum())
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


def random_frames(count: int, width: int, num_centres: int, device: str) -> np.ndarray:
    """Frames (count, width) float32, each a random centre and as much noise again."""
    generator = torch.Generator(device).manual_seed(0)
    centres = torch.randn(num_centres, width, generator=generator, device=device)
    frames = np.empty((count, width), dtype=np.float32)
    for begin in range(0, count, BLOCK):
        size = min(BLOCK, count - begin)
        labels = torch.randint(num_centres, (size,), generator=generator, device=device)
        noise = torch.randn(size, width, generator=generator, device=device)
        frames[begin : begin + size] = (centres[labels] + noise).cpu().numpy()
    return frames


def measure(fit: Fit, frames: np.ndarray, clusters: int, seed: int, device: str) -> tuple[float, float, float]:
    """Inertia a frame, seconds on the clock, seconds of processor cores."""
    core_seconds = time.process_time()
    centroids, seconds = timed(lambda: fit(frames, clusters, seed, device), device)
    core_seconds = time.process_time() - core_seconds
    return inertia_per_frame(frames, centroids, device), seconds, core_seconds


def compare(frames: np.ndarray, clusters: int, arguments: argparse.Namespace) -> None:
    """Measure the methods and print the table."""
    case = f"{len(frames)} frames, width {frames.shape[1]}, {clusters} clusters, seed {arguments.seed}"
    print(f"\n{case}\n{'':14} {'inertia':>12} {'seconds':>9} {'core seconds':>13}", flush=True)
    results = Results(arguments.results, arguments.device)
    measured = []
    for name in arguments.methods:
        measured.append(measure(METHODS[name], frames, clusters, arguments.seed, arguments.device))
        inertia, seconds, core_seconds = measured[-1]
        print(f"{name:14} {inertia:12.6g} {seconds:9.1f} {core_seconds:13.1f}", flush=True)
        results.add(f"{name}, {case}", seconds, "s")
        results.add(f"{name}, {case}: inertia a frame", inertia, "")
    if len(measured) == 2:
        inertia, seconds, core_seconds = (found / reference for found, reference in zip(*measured, strict=True))
        print(f"{'ratio':14} {inertia:12.4f} {seconds:9.3f} {core_seconds:13.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--frames", type=Path, help=".npy file of (F, D) float32 frames")
    source.add_argument("--manifest", type=Path, help="make the frames of its audio")
    source.add_argument("--random", type=int, nargs=2, metavar=("F", "D"), help="make random frames")
    parser.add_argument("--extractor", default="mfcc", help="with --manifest; default %(default)s")
    parser.add_argument("--layer", type=int, help="with --manifest")
    parser.add_argument("--clusters", type=int, nargs="+", default=[2000], help="default %(default)s")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="default: both")
    parser.add_argument("--seed", type=int, default=0, help="default %(default)s")
    add_options(parser)
    arguments = parser.parse_args()
    if arguments.frames:
        frames = np.load(arguments.frames, allow_pickle=False)
    elif arguments.random:
        frames = random_frames(*arguments.random, 2 * max(arguments.clusters), arguments.device)
    else:
        frames = make_frames(arguments.manifest, arguments.extractor, arguments.layer, arguments.device)
    for clusters in arguments.clusters:
        compare(frames, clusters, arguments)


if __name__ == "__main__":
    main()
