"""Peak memory of the stages `kmeans` and `units` by hours of audio, with a made-up encoder of WavLM-large's width.

    python examples/benchmarks/memory.py --stage kmeans --hours 40 400
    python examples/benchmarks/memory.py --stage units --hours 0.1 1
    python examples/benchmarks/memory.py --stage units --hours 10 40 400 --clusters 4

Everything is as in the stages, but that decoding and encoding cost next to nothing: the waveforms are zeros, the frames
are cut from one block of random numbers. The encoder's own memory comes on top: in `units`, and in `kmeans` before the
fit. K-means does one iteration a sample in place of ten, which needs the same memory. Assignment takes 4 million
operations a frame at 2000 clusters, so that 400 hours are only tried with few.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WIDTH = 1024
SECONDS = 6.0  # of each utterance
FRAME_SHIFT = 320  # samples


class MadeUpEncoder:
    """Frames cut from one block of random numbers."""

    name, source, layer, hash, width, frame_shift_seconds = "made-up", "made-up", 21, "", WIDTH, FRAME_SHIFT / 16_000

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._block = self._random.standard_normal((8192, WIDTH), dtype=np.float32)

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        """(N,) samples each -> (T, 1024) frames each."""
        lengths = [len(waveform) // FRAME_SHIFT for waveform in waveforms]
        starts = self._random.integers(0, len(self._block) - max(lengths), size=len(lengths))
        return [self._block[start : start + length] for start, length in zip(starts, lengths, strict=True)]


def write_manifest(folder: Path, hours: float) -> Path:
    """Rows of one file, each with an offset of its own."""
    (folder / "all.wav").touch()
    path = folder / "train.tsv"
    with open(path, "w") as file:
        file.write("id\taudio\toffset\tduration\tsrc_lang\ttgt_lang\tsrc_text\ttgt_text\tspeaker\n")
        for index in range(round(hours * 3600 / SECONDS)):
            file.write(f"talk-{index:07}\tall.wav\t{index * SECONDS}\t{SECONDS}\ten\tde\tsome words\teinige Wörter\t\n")
    return path


def run_stage(stage: str, hours: float, clusters: int) -> None:
    """In a process of its own: run the stage, print time and peak memory."""
    from preprocess.__main__ import main
    from preprocess.clustering import frame_sample, lloyd
    from preprocess.speech import frames
    from preprocess.stages import kmeans
    from preprocess.stages import units as speech_to_units

    encoder = MadeUpEncoder()
    waveform = np.zeros(round(SECONDS * 16_000), dtype=np.float32)
    frames.load_audio = lambda *segment: waveform
    frame_sample.load_described = speech_to_units.load_described = lambda *description: encoder
    kmeans.load_extractor = lambda *options: encoder
    lloyd.ITERATIONS = 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest, out = write_manifest(folder, hours), folder / "kmeans"
        arguments = ["kmeans", "--extractor", "made-up", "--clusters", str(clusters)]
        if stage == "units":
            description = {"name": "made-up", "layer": 21, "width": WIDTH, "frame_shift_seconds": 0.02}
            centroids = np.random.default_rng(1).standard_normal((clusters, WIDTH)).astype(np.float32)
            kmeans.save_kmeans(out, centroids, {"stage": "kmeans", "clusters": clusters, "extractor": description})
            arguments = ["units", "--kmeans", str(out)]
            out = folder / "train.units"
        start = time.monotonic()
        if main([*arguments, "--manifest", str(manifest), "--out", str(out)]) != 0:
            sys.exit(1)
        seconds = time.monotonic() - start
    # Not getrusage: its peak counts that of the parent before exec.
    peak = int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
    print(
        f"| {stage} | {hours:g} | {round(hours * 3600 / SECONDS)} | {clusters} | {peak:.0f} | {seconds:.0f} |",
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
