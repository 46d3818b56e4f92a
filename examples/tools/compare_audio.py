"""Audio as we read it beside what ffmpeg reads, for every file of a folder: lengths, samples, refusals, times.

python examples/tools/compare_audio.py my_corpus/clips > comparison.txt

It takes the program ffmpeg, or PyAV (pip install 'fairseq_hmst[formats]') where that is not there. Both are brought to
16 kHz and one channel before their samples are compared. Exit status 1: we gave less of a file than ffmpeg, without an
error; what ffmpeg gives of a file that was cut is no fault of ours if we refuse it.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from preprocess.errors import AudioError
from preprocess.speech.audio import END_TOLERANCE_SECONDS, SAMPLE_RATE, open_audio
from preprocess.speech.audio.samples import resample

SUN_HEADER_FIELDS = 6


@dataclass(frozen=True)
class Comparison:
    """A file, read by both; lengths and differences are None where one of the two refused it."""

    name: str
    verdict: str
    ffmpeg_seconds: float | None = None
    our_seconds: float | None = None
    max_difference: float | None = None
    rms_difference: float | None = None
    finding_ms: float | None = None
    decoding_ms: float | None = None
    reason: str = ""

    def row(self, width: int) -> str:
        """A line of the table."""
        numbers = [
            "-".rjust(10) if value is None else f"{value:10.{digits}f}"
            for value, digits in (
                (self.ffmpeg_seconds, 3),
                (self.our_seconds, 3),
                (self.max_difference, 5),
                (self.rms_difference, 5),
                (self.finding_ms, 1),
                (self.decoding_ms, 1),
            )
        ]
        return "  ".join([self.name.ljust(width), *numbers, self.verdict, self.reason]).rstrip()


COLUMNS = ("ffmpeg s", "ours s", "max diff", "rms diff", "finding ms", "decoding ms")


def decode_by_program(path: Path) -> np.ndarray:
    """The first sound track as the program ffmpeg gives it, (N,) float32 at 16 kHz.

    Raises:
        ValueError: it gives none.
    """
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", f"file:{path}", "-map", "0:a:0"]
    done = subprocess.run([*command, "-f", "au", "-c:a", "pcm_f32be", "-"], capture_output=True, check=False)
    header = np.frombuffer(done.stdout[: 4 * SUN_HEADER_FIELDS], ">u4")
    if len(header) < SUN_HEADER_FIELDS:
        raise ValueError((done.stderr.decode(errors="replace").strip() or "no sound").splitlines()[-1])
    _, offset, _, _, rate, channels = map(int, header)
    samples = np.frombuffer(done.stdout[offset:], ">f4").astype(np.float32)
    return resample(samples.reshape(-1, channels).mean(axis=1), rate)


def decode_by_library(path: Path) -> np.ndarray:
    """The first sound track as PyAV gives it; as `decode_by_program`."""
    import av

    resampler = av.AudioResampler(format="fltp")
    blocks, rate = [], 0
    try:
        with open(path, "rb") as file, av.open(file, mode="r") as container:
            if not container.streams.audio:
                raise ValueError("no sound")
            for packet in container.demux(container.streams.audio[0]):
                try:
                    frames = packet.decode()
                except av.FFmpegError:  # the program goes on as well
                    continue
                for frame in frames:
                    blocks += [part.to_ndarray().mean(axis=0) for part in resampler.resample(frame)]
                    rate = frame.sample_rate
    except av.FFmpegError as error:
        if not blocks:
            raise ValueError(error.strerror) from error
    if not blocks:
        raise ValueError("no sound")
    return resample(np.concatenate(blocks), rate)


def differences(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Largest and root mean square difference, with the begins or the ends laid together, whichever fits."""
    length = min(len(ours), len(theirs))
    if not length:
        return 0.0, 0.0
    pairs = ((ours[:length], theirs[:length]), (ours[-length:], theirs[-length:]))
    difference = min((np.abs(one - other) for one, other in pairs), key=lambda values: float(np.mean(values**2)))
    return float(difference.max()), float(np.sqrt(np.mean(difference**2)))


def compare(path: Path, name: str) -> Comparison:
    """One file, by ffmpeg and by us."""
    decode = decode_by_program if shutil.which("ffmpeg") else decode_by_library
    theirs, their_reason = None, ""
    try:
        theirs = decode(path)
    except ValueError as error:
        their_reason = str(error)
    their_seconds = None if theirs is None else len(theirs) / SAMPLE_RATE
    start = time.perf_counter()
    try:
        with open_audio(path) as file:
            found = time.perf_counter()
            own = file.read_samples(0, file.num_samples)
            decoded = time.perf_counter()
            lacking = file.num_samples - len(own)
            if lacking > END_TOLERANCE_SECONDS * file.sample_rate:
                raise AudioError(f"cut short: {lacking} of {file.num_samples} samples are lacking")
            ours = resample(own, file.sample_rate)
    except AudioError as error:
        verdict = "refused by both" if theirs is None else "refused by us"
        return Comparison(name, verdict, ffmpeg_seconds=their_seconds, reason=f"({error.found})")
    seconds, times = len(ours) / SAMPLE_RATE, (1e3 * (found - start), 1e3 * (decoded - found))
    if theirs is None or their_seconds is None:
        return Comparison(name, "refused by ffmpeg", None, seconds, None, None, *times, f"({their_reason})")
    largest, rms = differences(ours, theirs)
    verdict = "alike"
    if their_seconds - seconds > END_TOLERANCE_SECONDS:
        verdict = "SHORTER"
    elif seconds - their_seconds > END_TOLERANCE_SECONDS:
        verdict = "longer"
    return Comparison(name, verdict, their_seconds, seconds, largest, rms, *times)


def compare_all(folder: Path, paths: list[Path]) -> Iterator[Comparison]:
    """Comparisons of all files; a fault that nobody foresaw is a row as well."""
    for path in tqdm(paths, unit="file", disable=None):
        name = str(path.relative_to(folder))
        try:
            yield compare(path, name)
        except Exception as error:  # a fault of one file ends no comparison of thousands
            yield Comparison(name, "FAULT", reason=f"({type(error).__name__}: {error})")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="all files below it are compared")
    folder = parser.parse_args().folder
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        parser.error(f"{folder}: no files")
    width = max(len(str(path.relative_to(folder))) for path in paths)
    print("  ".join(["file".ljust(width), *(f"{name:>10}" for name in COLUMNS), "verdict"]))
    counts: Counter[str] = Counter()
    finding = decoding = 0.0
    for comparison in compare_all(folder, paths):
        print(comparison.row(width), flush=True)
        counts[comparison.verdict] += 1
        finding += comparison.finding_ms or 0.0
        decoding += comparison.decoding_ms or 0.0
    print(f"\n{len(paths)} files: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))
    if decoding:
        print(f"finding lengths took {finding / decoding:.3f} of the time of decoding")
    return 1 if counts["SHORTER"] or counts["FAULT"] else 0


if __name__ == "__main__":
    sys.exit(main())
