"""Joins announcements of the prompts example into recordings of some minutes; pauses last 0.2 to 2 s.

    python examples/live/compose_recordings.py --corpus examples/prompts/out/corpus --out DIR [--seed 0]

The voice is that of one human speaker, as in the announcements; a pause is digital silence. DIR/dev and DIR/test hold
16-bit WAV files and recordings.txt, a list of them; references.yaml (wav, offset, duration, speaker_id, as of MuST-C)
says where each announcement is spoken, references.LANGUAGE.txt how it is translated, a line each. The same seed makes
the same files. DIR appears when it is whole.
"""

import argparse
import csv
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import yaml

SAMPLE_RATE = 8000  # Hz, of the announcements
PAUSE_SECONDS = (0.2, 2.0)  # between announcements, before the first and after the last
LANGUAGES = ("fr", "es")
SPEAKER = "spk.1"

Row = dict[str, str]  # of announcements.tsv


@dataclass
class Recording:
    """A recording that grows.

    Attributes:
        samples: pieces of int16 at SAMPLE_RATE.
        rows: the announcements in it.
        spans: begin and end of each, in samples.
    """

    samples: list[np.ndarray] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    length: int = 0

    def add(self, samples: np.ndarray) -> None:
        """Append samples (N,)."""
        self.samples.append(samples)
        self.length += len(samples)

    def add_announcement(self, row: Row, samples: np.ndarray) -> None:
        """Append an announcement."""
        self.spans.append((self.length, self.length + len(samples)))
        self.rows.append(row)
        self.add(samples)


def read_rows(corpus: Path, split: str) -> list[Row]:
    """The spoken announcements of a split."""
    with (corpus / "announcements.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if row["split"] == split and row["audio"]]


def join_announcements(corpus: Path, rows: Sequence[Row], seconds: float, rng: np.random.Generator) -> list[Recording]:
    """Recordings of at least so many seconds each, but for the last one; `rng` draws the pauses."""
    recordings = [Recording()]
    for row in rows:
        if recordings[-1].length >= seconds * SAMPLE_RATE:
            recordings.append(Recording())
        samples, rate = soundfile.read(corpus / row["audio"], dtype="int16")
        if rate != SAMPLE_RATE:
            raise ValueError(f"{row['audio']}: expected {SAMPLE_RATE} Hz, found {rate}")
        recordings[-1].add(draw_pause(rng))
        recordings[-1].add_announcement(row, samples)
    for recording in recordings:
        recording.add(draw_pause(rng))
    return recordings


def draw_pause(rng: np.random.Generator) -> np.ndarray:
    """Silence of a length within PAUSE_SECONDS."""
    return np.zeros(round(rng.uniform(*PAUSE_SECONDS) * SAMPLE_RATE), np.int16)


def write_split(folder: Path, split: str, recordings: Sequence[Recording]) -> None:
    """Write sound, references and the list of recordings."""
    folder.mkdir(parents=True)
    segments, names = [], []
    for number, recording in enumerate(recordings):
        names.append(f"{split}-{number:03d}.wav")
        soundfile.write(folder / names[-1], np.concatenate(recording.samples), SAMPLE_RATE, "PCM_16")
        for begin, end in recording.spans:
            place = {"offset": begin / SAMPLE_RATE, "duration": (end - begin) / SAMPLE_RATE}
            segments.append({"wav": names[-1], **place, "speaker_id": SPEAKER})
    rows = [row for recording in recordings for row in recording.rows]
    texts = {f"references.{language}.txt": [row[language] for row in rows] for language in LANGUAGES}
    for name, lines in {**texts, "recordings.txt": names}.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "references.yaml").write_text(yaml.safe_dump(segments, default_flow_style=None), encoding="utf-8")


def compose(corpus: Path, out: Path, sizes: dict[str, int], seconds: float, seed: int) -> None:
    """Write recordings of so many announcements of each split.

    Raises:
        ValueError: a split has fewer announcements.
    """
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for number, (split, size) in enumerate(sizes.items()):
        rng = np.random.default_rng([seed, number])
        rows = read_rows(corpus, split)
        if size > len(rows):
            raise ValueError(f"{split}: {size} announcements wanted, {len(rows)} found in {corpus}")
        drawn = [rows[index] for index in rng.permutation(len(rows))[:size]]
        write_split(partial / split, split, join_announcements(corpus, drawn, seconds, rng))
    partial.rename(out)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of announcements.tsv")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist")
    parser.add_argument("--seed", type=int, default=0, help="order of the announcements, and pauses")
    parser.add_argument("--dev", type=int, default=150, help="announcements")
    parser.add_argument("--test", type=int, default=500, help="announcements")
    parser.add_argument("--seconds", type=float, default=180.0, help="length of a recording")
    arguments = parser.parse_args()
    if arguments.out.exists():
        sys.exit(f"compose_recordings.py: {arguments.out} exists already; remove it or choose another folder")
    sizes = {"dev": arguments.dev, "test": arguments.test}
    try:
        compose(arguments.corpus, arguments.out, sizes, arguments.seconds, arguments.seed)
    except (OSError, ValueError) as error:
        sys.exit(f"compose_recordings.py: {error}")


if __name__ == "__main__":
    main()
