"""Joins the recordings of recordings/ into a corpus of short announcements for speech and text translation.

    python compose.py --out DIR [--seed 0]

DIR/announcements.tsv has a row an announcement (tab-separated, no quoting): id, split (train, dev, test,
test_prompts), audio (relative to DIR; empty: text only), seconds, recordings (ids, space-separated), en, fr, es.
DIR/audio has the sound as 16-bit WAV, 8 kHz. The same seed makes the same files. An interrupted run leaves no DIR.
"""

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np
from phrases import Announcement
from sound import SAMPLE_RATE, join, write_wav
from splits import ComposeError, Sizes, draw_splits
from whole_prompts import whole_prompts

COLUMNS = ("id", "split", "audio", "seconds", "recordings", "en", "fr", "es")


def compose(out: Path, sizes: Sizes, longest_seconds: float, seed: int) -> None:
    """Writes the corpus; `out` appears when it is whole.

    Raises:
        ComposeError: `out` exists, or the sizes ask for more sentences than there are.
    """
    if out.exists():
        raise ComposeError(f"{out} exists already; remove it or choose another folder")
    splits = draw_splits(sizes, longest_seconds, seed)
    training = [announcement for split in ("train", "text") for _, announcement in splits[split]]
    splits["test_prompts"] = [("prompt", announcement) for announcement in whole_prompts(training)]

    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "audio").mkdir(parents=True)
    lines = ["\t".join(COLUMNS)]
    for split, rows in splits.items():
        rng = np.random.default_rng([seed, list(splits).index(split)])
        for number, (kind, announcement) in enumerate(rows):
            row_id = f"{split}-{number:05d}-{kind}"
            audio, seconds = ("", "") if split == "text" else write_audio(partial, row_id, announcement, rng)
            fields = (row_id, "train" if split == "text" else split, audio, seconds, " ".join(announcement.recordings))
            lines.append("\t".join((*fields, announcement.en, announcement.fr, announcement.es)))
    (partial / "announcements.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    partial.rename(out)


def write_audio(folder: Path, row_id: str, announcement: Announcement, rng: np.random.Generator) -> tuple[str, str]:
    """Writes one WAV file; returns its path relative to `folder` and its seconds."""
    samples = join(announcement.recordings, rng)
    audio = f"audio/{row_id}.wav"
    write_wav(folder / audio, samples)
    return audio, f"{len(samples) / SAMPLE_RATE:.3f}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist")
    parser.add_argument("--seed", type=int, default=0, help="choice of sentences, pauses and gains")
    parser.add_argument("--train", type=int, default=6000, help="training announcements with audio")
    parser.add_argument("--text", type=int, default=12000, help="further training announcements, as text only")
    parser.add_argument("--dev", type=int, default=300, help="development announcements")
    parser.add_argument("--test", type=int, default=500, help="test announcements")
    parser.add_argument(
        "--longest", type=float, default=3.0, help="seconds of speech in an announcement at most, pauses not counted"
    )
    arguments = parser.parse_args()
    sizes = Sizes(arguments.train, arguments.text, arguments.dev, arguments.test)
    try:
        compose(arguments.out, sizes, arguments.longest, arguments.seed)
    except ComposeError as error:
        sys.exit(f"compose.py: {error}")


if __name__ == "__main__":
    main()
