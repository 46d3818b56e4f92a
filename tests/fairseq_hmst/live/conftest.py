"""Sound for live translation: prompts with pauses between them, at 16 kHz."""

import numpy as np
import pytest
from prompt_models import PROMPTS

from preprocess.speech.audio import load_audio

RATE = 16_000


@pytest.fixture(scope="session")
def stream() -> np.ndarray:
    """Three prompts with pauses of 0.3 and 1 s between them, 8 s, (N,) float32; do not change it."""
    prompts = [load_audio(path) for path in PROMPTS[:3]]
    pauses = [np.zeros(round(seconds * RATE), np.float32) for seconds in (0.3, 1.0, 0.7)]
    return np.concatenate([part for pair in zip(prompts, pauses, strict=True) for part in pair])
