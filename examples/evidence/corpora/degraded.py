"""Test recordings made worse: with white noise at 20, 10 and 5 dB, and at speeds of 0.9 and 1.1.

    python examples/evidence/corpora/degraded.py --manifest MANIFEST/test.tsv --out OUT

OUT/test_noise_20.tsv and so on are the manifest with recordings of OUT/audio. Noise is Gaussian, its power that of the
recording less the ratio, and always the same; speed changes tempo and pitch.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import soundfile
import torch
from torch import Tensor
from torchaudio.functional import add_noise, speed

from preprocess.files.manifest import Utterance, read_manifest, write_manifest
from preprocess.speech.audio import SAMPLE_RATE, load_audio

NOISES = (20, 10, 5)  # dB
SPEEDS = (0.9, 1.1)


def degrade(waveform: Tensor, seed: int) -> dict[str, Tensor]:
    """All degraded forms of a waveform (N,), by name."""
    noise = torch.randn(waveform.shape, generator=torch.Generator().manual_seed(seed))
    found = {f"noise_{ratio}": add_noise(waveform, noise, torch.tensor(float(ratio))) for ratio in NOISES}
    return found | {f"speed_{factor}": speed(waveform, SAMPLE_RATE, factor)[0] for factor in SPEEDS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    (arguments.out / "audio").mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[Utterance]] = {}
    for number, row in enumerate(read_manifest(arguments.manifest)):
        if row.audio is None:
            continue
        samples = load_audio(row.audio, row.offset, row.duration)
        for name, waveform in degrade(torch.from_numpy(samples), number).items():
            path = (arguments.out / "audio" / f"{number}.{name}.wav").resolve()
            soundfile.write(path, waveform.numpy(), SAMPLE_RATE, subtype="FLOAT")
            degraded = replace(row, audio=path, offset=0.0, duration=len(waveform) / SAMPLE_RATE)
            tables.setdefault(name, []).append(degraded)
    for name, rows in tables.items():
        write_manifest(arguments.out / f"test_{name}.tsv", rows)


if __name__ == "__main__":
    main()
