"""Units of speech that is still coming against those of the whole recording, by window.

    python examples/benchmarks/live_units.py AUDIO [AUDIO ...] --encoder FOLDER --layer 4
    python examples/benchmarks/live_units.py AUDIO [AUDIO ...] --encoder random --layer 6
    python examples/benchmarks/live_units.py AUDIO [AUDIO ...] --encoder mfcc --clusters 64

Files are joined to recordings of --join-seconds. `random` is a WavLM of base shape with random weights. Without
--kmeans, the k-means is fitted on the frames of the recordings. For MFCC, which have no window, it counts the settled
frames that loudness changed later. Prints a table in Markdown.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from made_up_speech import save_random_wavlm
from torchaudio.functional import edit_distance

from fairseq_hmst.live.units.encoder_window import EncoderWindow
from fairseq_hmst.live.units.heard import HeardUnits
from fairseq_hmst.live.units.streams import UnitStreams
from preprocess.clustering.centroids import load_kmeans
from preprocess.clustering.lloyd import fit_centroids
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.files.units import deduplicate, expand
from preprocess.speech.audio import SAMPLE_RATE, load_audio
from preprocess.speech.extractors import Extractor, load_extractor


class Agreement(NamedTuple):
    """Agreement with the whole recordings, and what it took."""

    # shares

    equal_frames: float
    unit_errors: float  # edit distance over length
    cpu_seconds: float  # a second of speech


def join_files(paths: list[Path], join_seconds: float, seconds: float) -> list[np.ndarray]:
    """Recordings (N,) of about `join_seconds`, or the files by themselves where this is 0; `seconds` in all."""
    files = [load_audio(path) for path in paths]
    if join_seconds == 0:
        ends = np.cumsum([len(samples) for samples in files])
        return [samples for samples, end in zip(files, ends, strict=True) if end <= seconds * SAMPLE_RATE]
    speech = np.concatenate(files)[: round(seconds * SAMPLE_RATE)]
    return np.array_split(speech, max(1, round(len(speech) / SAMPLE_RATE / join_seconds)))


def hear(streams: UnitStreams, recording: np.ndarray, chunk_seconds: float) -> Iterator[HeardUnits]:
    """Units at each decision point."""
    stream = streams.start()
    size = round(chunk_seconds * SAMPLE_RATE)
    for begin in range(0, len(recording), size):
        stream.add(recording[begin : begin + size])
        yield stream.heard()


def measure_window(
    streams: UnitStreams, recordings: list[np.ndarray], labels: list[np.ndarray], chunk_seconds: float
) -> Agreement:
    """Compare the last units of each stream with the clusters (T,) of the whole recordings."""
    start = time.process_time()
    last = [[*hear(streams, recording, chunk_seconds)][-1] for recording in recordings]
    spent = time.process_time() - start
    found = np.concatenate([expand(heard.units, heard.run_lengths) for heard in last])
    units = [deduplicate(expected)[0] for expected in labels]
    errors = sum(edit_distance(one.tolist(), heard.units.tolist()) for one, heard in zip(units, last, strict=True))
    return Agreement(
        float(np.mean(found == np.concatenate(labels))),
        errors / sum(map(len, units)),
        spent * SAMPLE_RATE / sum(map(len, recordings)),
    )


def count_changes(streams: UnitStreams, recording: np.ndarray, chunk_seconds: float) -> tuple[int, int]:
    """Number of settled frames, and how many of them changed later."""
    before, changed, num_settled = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), 0
    for heard in hear(streams, recording, chunk_seconds):
        labels = expand(heard.units, heard.run_lengths)
        changed[:num_settled] |= labels[:num_settled] != before[:num_settled]
        num_settled = max(num_settled, int(heard.run_lengths[: heard.num_settled].sum()))
        changed = np.pad(changed, (0, num_settled - len(changed)))
        before = labels
    return num_settled, int(changed.sum())


def report_windows(
    extractor: Extractor, nearest: NearestCentroid, recordings: list[np.ndarray], arguments: argparse.Namespace
) -> None:
    """Print a row for each window."""
    labels = [nearest(extractor.frames([recording])[0]) for recording in recordings]
    print("| left s | look-ahead s | frames equal % | unit error % | CPU s a second of speech |\n|---|---|---|---|---|")
    for left, look_ahead in product(arguments.left, arguments.look_ahead):
        window = EncoderWindow(encoder_left_seconds=left, encoder_look_ahead_seconds=look_ahead)
        streams = UnitStreams(extractor, nearest, window)
        found = measure_window(streams, recordings, labels, arguments.chunk_seconds)
        shares = f"{100 * found.equal_frames:.1f} | {100 * found.unit_errors:.1f} | {found.cpu_seconds:.3f}"
        print(f"| {left:g} | {look_ahead:g} | {shares} |", flush=True)


def report_changes(
    extractor: Extractor, nearest: NearestCentroid, recordings: list[np.ndarray], arguments: argparse.Namespace
) -> None:
    """Print how many settled frames of MFCC changed."""
    streams = UnitStreams(extractor, nearest, EncoderWindow())
    counted = [count_changes(streams, recording, arguments.chunk_seconds) for recording in recordings]
    num_settled, num_changed = map(sum, zip(*counted, strict=True))
    print("| settled frames | changed later | % |\n|---|---|---|")
    print(f"| {num_settled} | {num_changed} | {100 * num_changed / num_settled:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", nargs="+", type=Path)
    parser.add_argument("--encoder", required=True, help="folder of a speech encoder, `random` or `mfcc`")
    parser.add_argument("--layer", type=int, help="of the encoder")
    parser.add_argument("--kmeans", type=Path, help="output of `preprocess kmeans` with this encoder")
    parser.add_argument("--clusters", type=int, default=100, help="without --kmeans, default %(default)s")
    parser.add_argument("--seconds", type=float, default=60.0, help="of audio at most, default %(default)s")
    parser.add_argument("--join-seconds", type=float, default=15.0, help="0: each file by itself; default %(default)s")
    parser.add_argument("--chunk-seconds", type=float, default=0.5, help="between decisions, default %(default)s")
    parser.add_argument("--left", type=float, nargs="+", default=[2, 4, 8, 16], help="seconds, default 2 4 8 16")
    parser.add_argument(
        "--look-ahead", type=float, nargs="+", default=[0.1, 0.25, 0.5, 1], help="seconds, default 0.1 0.25 0.5 1"
    )
    arguments = parser.parse_args()
    recordings = join_files(arguments.audio, arguments.join_seconds, arguments.seconds)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.encoder
        if folder == "random":
            folder = temporary
            save_random_wavlm(Path(folder), 768, arguments.layer)
        extractor = load_extractor(folder, arguments.layer, "cpu")
    if arguments.kmeans is None:
        frames = np.concatenate([extractor.frames([recording])[0] for recording in recordings])
        centroids = fit_centroids(frames, arguments.clusters, seed=0)[0]
    else:
        centroids = load_kmeans(arguments.kmeans)[0]
    report = report_changes if arguments.encoder == "mfcc" else report_windows
    report(extractor, NearestCentroid(centroids), recordings, arguments)


if __name__ == "__main__":
    main()
