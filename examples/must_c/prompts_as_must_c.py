"""A tree of MuST-C's shape, made of the recordings of examples/prompts.

    python examples/must_c/prompts_as_must_c.py --out DIR [--languages fr es]

joins announcements to talks of many segments and writes DIR/en-fr/data/{train,dev,tst-COMMON,tst-HE}/{txt,wav}, and
the same for other languages.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "prompts"))
from sound import join, write_wav
from splits import Sizes, draw_splits
from whole_prompts import whole_prompts

SAMPLE_RATE = 16_000
PAUSE_SECONDS = (0.1, 0.6)  # around segments


@dataclass(frozen=True)
class TreeSegment:
    """A segment as it was written: samples (N,) int16 from sample `start` of its talk, and its texts."""

    wav: str
    start: int
    samples: np.ndarray
    texts: dict[str, str]  # by language

    def yaml_line(self) -> str:
        """Its line in SPLIT.yaml, as versions 2 and 3 have it; version 1 lacks rW and uW."""
        duration, offset = len(self.samples) / SAMPLE_RATE, self.start / SAMPLE_RATE
        times, speaker = f"duration: {duration:.6f}, offset: {offset:.6f}", f"spk.{self.wav[4:-4]}"
        return f"- {{{times}, rW: 3, uW: 0, speaker_id: {speaker}, wav: {self.wav}}}"


def write_tree(
    root: Path, languages: Sequence[str], sizes: tuple[int, int, int], segments_per_talk: int, seed: int = 0
) -> dict[str, list[TreeSegment]]:
    """Write the tree.

    Args:
        root: folder to write en-XX into.
        languages: of `fr` and `es`.
        sizes: segments of train, dev and tst-COMMON; tst-HE has as many as dev, whole prompts.
        segments_per_talk: the last talk of a split may have fewer.
        seed: of the sentences, pauses and gains.

    Returns:
        The segments of every split, in the order of SPLIT.yaml.
    """
    train, dev, test = sizes
    drawn = {
        split: [row for _, row in rows] for split, rows in draw_splits(Sizes(train, 0, dev, test), 3.0, seed).items()
    }
    whole = whole_prompts(drawn["train"])[:dev]
    rng = np.random.default_rng(seed)
    splits: dict[str, list[TreeSegment]] = {}
    num_talks = 0
    for split, rows in (
        ("train", drawn["train"]),
        ("dev", drawn["dev"]),
        ("tst-COMMON", drawn["test"]),
        ("tst-HE", whole),
    ):
        splits[split] = []
        for begin in range(0, len(rows), segments_per_talk):
            num_talks += 1
            talk = rows[begin : begin + segments_per_talk]
            samples, places = _join([join(row.recordings, rng) for row in talk], rng)
            for language in languages:
                wav = root / f"en-{language}" / "data" / split / "wav" / f"ted_{num_talks}.wav"
                wav.parent.mkdir(parents=True, exist_ok=True)
                write_wav(wav, samples, SAMPLE_RATE)
            for row, (start, end) in zip(talk, places, strict=True):
                texts = {language: getattr(row, language) for language in ("en", *languages)}
                splits[split].append(TreeSegment(f"ted_{num_talks}.wav", start, samples[start:end], texts))
        for language in languages:
            write_texts(root / f"en-{language}" / "data" / split / "txt", split, splits[split], language)
    return splits


def write_texts(folder: Path, split: str, segments: Sequence[TreeSegment], language: str) -> None:
    """Write SPLIT.yaml, SPLIT.en and SPLIT.XX."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = {
        "yaml": [segment.yaml_line() for segment in segments],
        "en": [segment.texts["en"] for segment in segments],
        language: [segment.texts[language] for segment in segments],
    }
    for suffix, content in lines.items():
        (folder / f"{split}.{suffix}").write_text("".join(f"{line}\n" for line in content), encoding="utf-8")


def _join(pieces_at_8_khz: Sequence[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Samples (N,) int16 of a talk at 16 kHz, and begin and end of each piece; there are pauses between them."""
    from scipy.signal import resample_poly

    parts: list[np.ndarray] = []
    places = []
    for piece in pieces_at_8_khz:
        parts.append(np.zeros(int(rng.uniform(*PAUSE_SECONDS) * SAMPLE_RATE), dtype=np.int16))
        start = sum(map(len, parts))
        parts.append(np.round(resample_poly(piece.astype(np.float64), 2, 1)).clip(-32768, 32767).astype(np.int16))
        places.append((start, start + len(parts[-1])))
    parts.append(np.zeros(int(PAUSE_SECONDS[1] * SAMPLE_RATE), dtype=np.int16))
    return np.concatenate(parts), places


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist")
    parser.add_argument("--languages", nargs="+", default=["fr"], choices=["fr", "es"], help="default fr")
    arguments = parser.parse_args()
    if arguments.out.exists():
        sys.exit(f"{arguments.out} exists already; remove it or choose another folder")
    splits = write_tree(arguments.out, arguments.languages, (600, 40, 60), segments_per_talk=30)
    for split, segments in splits.items():
        talks, seconds = {segment.wav for segment in segments}, sum(len(segment.samples) for segment in segments)
        print(f"{split}: {len(segments)} segments of {len(talks)} talks, {seconds / SAMPLE_RATE / 60:.1f} min")


if __name__ == "__main__":
    main()
