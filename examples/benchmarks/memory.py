"""Peak memory of the stages `kmeans` and `units` by hours of audio.

    python examples/benchmarks/memory.py --stage kmeans --hours 40 400
    python examples/benchmarks/memory.py --stage units --hours 0.1 1
    python examples/benchmarks/memory.py --stage units --hours 10 40 400 --clusters 4

Everything is as in the stages, but that decoding and encoding cost next to nothing: the waveforms are zeros, and a
made-up encoder of WavLM-large's width cuts the frames from one block of random numbers. The encoder's own memory comes
on top: in `units`, and in `kmeans` before the fit. K-means does one iteration a sample in place of ten, which needs the
same memory. Assignment takes 4 million operations a frame at 2000 clusters, so that 400 hours are only tried with few.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np

from preprocess.files.cards.stage_cards import KmeansCard
from preprocess.files.manifest import Utterance, write_manifest
from preprocess.speech.audio import SAMPLE_RATE

WIDTH = 1024
SECONDS = 6.0  # of each utterance
FRAME_SHIFT = 320  # samples


class MadeUpEncoder:
    """Frames cut from one block of random numbers."""

    name, source, layer, hash, width, frame_shift_seconds = (
        "made-up",
        "made-up",
        21,
        "",
        WIDTH,
        FRAME_SHIFT / SAMPLE_RATE,
    )

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._block = self._random.standard_normal((8192, WIDTH), dtype=np.float32)

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        """Frames (T, 1024) of waveforms of (N,) samples each."""
        lengths = [len(waveform) // FRAME_SHIFT for waveform in waveforms]
        starts = self._random.integers(0, len(self._block) - max(lengths), size=len(lengths))
        return [self._block[start : start + length] for start, length in zip(starts, lengths, strict=True)]


def write_corpus(folder: Path, hours: float) -> Path:
    """Write a manifest whose rows are of one file, each with an offset of its own."""
    (folder / "all.wav").touch()
    path = folder / "train.tsv"
    rows = (
        Utterance(
            f"talk-{index:07}", folder / "all.wav", index * SECONDS, SECONDS, "en", "de", "some words", "Wörter", ""
        )
        for index in range(round(hours * 3600 / SECONDS))
    )
    write_manifest(path, rows)
    return path


def write_kmeans(folder: Path, clusters: int, encoder: MadeUpEncoder) -> None:
    """Write a k-means of random centroids, as the stage `kmeans` would of the encoder's frames."""
    from preprocess.clustering.centroids import save_kmeans
    from preprocess.speech.extractors import describe

    centroids = np.random.default_rng(1).standard_normal((clusters, WIDTH)).astype(np.float32)
    card = KmeansCard(
        extractor=describe(encoder),
        clusters=clusters,
        seed=1,
        portion=1.0,
        frames=clusters,
        skipped=0,
        inertia_per_frame=0.0,
        hashes={},
    )
    save_kmeans(folder, centroids, card)


@contextmanager
def cheap_stages(encoder: MadeUpEncoder) -> Iterator[None]:
    """Stages of this process that use the encoder and waveforms of zeros; k-means does one iteration."""
    from preprocess.clustering import lloyd
    from preprocess.speech import extractors, frames
    from preprocess.speech.audio import LengthLimits, Sound
    from preprocess.stages import kmeans, units

    sound = Sound(np.zeros(round(SECONDS * SAMPLE_RATE), dtype=np.float32))
    with (
        patch.object(frames, "load_sound", lambda *span: sound),
        patch.object(extractors, "load_extractor", lambda *options: encoder),
        patch.object(kmeans, "load_extractor", lambda *options: encoder),
        patch.object(kmeans, "read_limits", lambda source: LengthLimits()),
        patch.object(units, "read_limits", lambda source: LengthLimits()),
        patch.object(lloyd, "ITERATIONS", 1),
    ):
        yield


def run_stage(stage: str, hours: float, clusters: int) -> None:
    """Run the stage, once in this process, and print time and peak memory."""
    from preprocess.__main__ import main

    encoder = MadeUpEncoder()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest, kmeans = write_corpus(folder, hours), folder / "kmeans"
        arguments = ["kmeans", "--extractor", "made-up", "--clusters", str(clusters), "--out", str(kmeans)]
        if stage == "units":
            write_kmeans(kmeans, clusters, encoder)
            arguments = ["units", "--kmeans", str(kmeans), "--out", str(folder / "train.units")]
        start = time.monotonic()
        with cheap_stages(encoder):
            if main([*arguments, "--manifest", str(manifest)]) != 0:
                sys.exit(1)
        seconds = time.monotonic() - start
    # Not getrusage: its peak counts that of the parent before exec.
    (peak,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    print(
        f"| {stage} | {hours:g} | {round(hours * 3600 / SECONDS)} | {clusters} | {int(peak) / 1024:.0f} | "
        f"{seconds:.0f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=("kmeans", "units"), required=True)
    parser.add_argument("--hours", type=float, nargs="+", required=True, help="of audio; one run each")
    parser.add_argument("--clusters", type=int, default=2000)
    parser.add_argument("--only", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        run_stage(arguments.stage, arguments.hours[0], arguments.clusters)
        return
    print("| stage | hours | utterances | clusters | peak, MB | s |\n|---|---|---|---|---|---|", flush=True)
    for hours in arguments.hours:  # a process each: the peak of a process never goes down
        options = ["--stage", arguments.stage, "--hours", str(hours), "--clusters", str(arguments.clusters), "--only"]
        subprocess.run([sys.executable, __file__, *options], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
