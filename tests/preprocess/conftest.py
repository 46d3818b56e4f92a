"""Seconds of sound for the stages that read audio."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

RECORDINGS = Path(__file__).resolve().parents[2] / "examples" / "prompts" / "recordings"


def babble(seconds: float, seed: int) -> np.ndarray:
    """(N,) float32 at 16 kHz: hummed vowels and noise in turn, so that frames differ."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * 16_000)) / 16_000
    waveform = 0.01 * random.standard_normal(len(time))
    for begin in np.arange(0, seconds, 0.1):
        is_sounding = (time >= begin) & (time < begin + 0.1)
        for hertz in random.uniform(100, 3500, size=3):
            waveform += 0.1 * is_sounding * np.sin(2 * np.pi * hertz * time)
    return waveform.astype(np.float32)


@pytest.fixture
def waveforms() -> list[np.ndarray]:
    """Five utterances of unequal length, 0.3 to 1.1 s."""
    return [babble(seconds, seed) for seed, seconds in enumerate((0.5, 1.1, 0.3, 0.7004, 0.5))]


@pytest.fixture
def make_manifest(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes `count` wav files and a manifest of them (u0, u1, ...; the last row has no audio)."""
    import soundfile

    from preprocess.files.manifest import Utterance, write_manifest

    def make(count: int = 6, name: str = "train.tsv") -> Path:
        rows = []
        for index in range(count):
            path = tmp_path / "audio" / f"{index}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, babble(0.4 + 0.1 * (index % 4), index), 16_000)
            rows.append(Utterance(f"u{index}", path, 0.0, None, "en", "fr", f"text {index}", f"texte {index}", ""))
        rows.append(Utterance("text-only", None, 0.0, None, "en", "fr", "hello", "bonjour", ""))
        write_manifest(tmp_path / name, rows)
        return tmp_path / name

    return make


@pytest.fixture(scope="session")
def recorded_prompts() -> list[np.ndarray]:
    """Ten recorded prompts of the example, (N,) float32 at 16 kHz."""
    from preprocess.speech.audio import load_audio

    paths = sorted(RECORDINGS.glob("*.ogg"))[:10]
    if not paths:
        pytest.skip(f"no recordings in {RECORDINGS}")
    return [load_audio(path) for path in paths]
