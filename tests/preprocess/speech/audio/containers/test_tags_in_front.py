"""Tags of mp3 players stand in front of other files too: of what is behind them the same is read."""

import numpy as np
import pytest
from audio_bytes import decoded, noise, samples_of, written
from mpeg_files import ID3

KINDS = [
    ("WAV", "PCM_16"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("CAF", "PCM_16"),
]


@pytest.mark.parametrize(("format", "subtype"), KINDS)
def test_a_tag_in_front_changes_nothing(format: str, subtype: str):
    content = written(noise(5_000), subtype, 16_000, format)
    assert np.array_equal(samples_of(ID3 + content), decoded(content))


def test_a_tag_in_front_of_a_wav_of_unknown_length_changes_nothing():
    content = written(noise(5_000))
    piped = content[:40] + b"\xff\xff\xff\xff" + content[44:]
    assert np.array_equal(samples_of(ID3 + piped), decoded(content))
