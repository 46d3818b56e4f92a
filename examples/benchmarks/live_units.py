"""Units of speech that is still coming, compared with those of the whole recording, by the encoder's window.

    python examples/benchmarks/live_units.py --encoder FOLDER --layer 4 AUDIO [AUDIO ...]
    python examples/benchmarks/live_units.py --encoder random --layer 6 AUDIO [AUDIO ...]
    python examples/benchmarks/live_units.py --encoder mfcc [--kmeans FOLDER] AUDIO [AUDIO ...]

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
import torchaudio
from made_up_speech import save_random_wavlm

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
    """Frames of some recordings that are as they should be, and errors of their deduplicated units."""

    frames: int
    equal_frames: int
    units: int
    unit_errors: int
    seconds: float  # spent

    def cells(self, speech_seconds: float) -> str:
        """Cells of the table."""
        equal, errors = self.equal_frames / self.frames, self.unit_errors / self.units
        return f"{100 * equal:.1f} | {100 * errors:.1f} | {self.seconds / speech_seconds:.3f}"


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
    found, start = Agreement(0, 0, 0, 0, 0.0), time.process_time()
    last = [[*hear(streams, recording, chunk_seconds)][-1] for recording in recordings]
    spent = time.process_time() - start
    for heard, expected in zip(last, labels, strict=True):
        units, _ = deduplicate(expected)
        of_one = Agreement(
            len(expected),
            int(np.sum(expand(heard.units, heard.run_lengths) == expected)),
            len(units),
            torchaudio.functional.edit_distance(units.tolist(), heard.units.tolist()),
            spent / len(recordings),
        )
        found = Agreement(*(one + other for one, other in zip(found, of_one, strict=True)))
    return found


def count_changes(streams: UnitStreams, recording: np.ndarray, chunk_seconds: float) -> tuple[int, int]:
    """Frames of settled units at all decision points, each once, and how many of them were changed later."""
    before, changed, num_settled = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), 0
    for heard in hear(streams, recording, chunk_seconds):
        labels = expand(heard.units, heard.run_lengths)
        changed[:num_settled] |= labels[:num_settled] != before[:num_settled]
        num_settled = max(num_settled, int(heard.run_lengths[: heard.num_settled].sum()))
        changed = np.pad(changed, (0, num_settled - len(changed)))
        before = labels
    return num_settled, int(changed.sum())


def report_windows(extractor: Extractor, nearest: NearestCentroid, recordings: list[np.ndarray], arguments) -> None:
    """Print a row for each window."""
    labels = [nearest(extractor.frames([recording])[0]) for recording in recordings]
    speech_seconds = sum(map(len, recordings)) / SAMPLE_RATE
    print("| left s | look-ahead s | frames equal % | unit error % | CPU s a second of speech |\n|---|---|---|---|---|")
    for left, look_ahead in product(arguments.left, arguments.look_ahead):
        window = EncoderWindow(encoder_left_seconds=left, encoder_look_ahead_seconds=look_ahead)
        streams = UnitStreams(extractor, nearest, window)
        found = measure_window(streams, recordings, labels, arguments.chunk_seconds)
        print(f"| {left:g} | {look_ahead:g} | {found.cells(speech_seconds)} |", flush=True)


def report_changes(extractor: Extractor, nearest: NearestCentroid, recordings: list[np.ndarray], arguments) -> None:
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
