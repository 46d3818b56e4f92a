"""Speech that is no path: file objects, bytes, waveforms and dictionaries, against the file that holds the same."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from fairseq_hmst.translate.errors import TranslationError
from fairseq_hmst.translate.recordings.sources import read_source
from preprocess.speech.audio import AudioContent, load_audio, open_audio

RATE = 11_025
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, (RATE, 2)).astype(np.float32)
PCM = (NOISE * 32768).astype(np.int16)


def samples_of(given: object, rate: int | None = RATE) -> np.ndarray:
    _, audio = read_source(given, rate, "recording 1")
    with open_audio(audio) as file:
        return file.read()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """The same sound in two channels and in one, in floats and in 16 bits."""
    folder = tmp_path_factory.mktemp("files")
    soundfile.write(folder / "float.wav", NOISE, RATE, subtype="FLOAT")
    soundfile.write(folder / "mono.wav", NOISE[:, 0], RATE, subtype="FLOAT")
    soundfile.write(folder / "pcm.wav", PCM, RATE)
    return {path.stem: path for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("given", "file"),
    [
        (NOISE, "float"),
        (NOISE.T, "float"),
        (NOISE.astype(np.float64), "float"),
        (torch.from_numpy(NOISE.T).requires_grad_(), "float"),
        (NOISE[:, 0], "mono"),
        (NOISE[:, :1].T, "mono"),
        (PCM, "pcm"),
        (torch.from_numpy(PCM), "pcm"),
        (PCM.astype(np.int32) << 16, "pcm"),
    ],
)
def test_a_waveform_is_read_as_the_file_of_its_samples(files, given, file):
    np.testing.assert_array_equal(samples_of(given), load_audio(files[file]))


def test_integers_of_8_bits_are_scaled_by_their_range():
    expected = np.array([-1.0, -0.5, 0.0, 0.5] * 400, np.float32)
    for given in (np.array([-128, -64, 0, 64] * 400, np.int8), np.array([0, 64, 128, 192] * 400, np.uint8)):
        np.testing.assert_array_equal(samples_of(given, 16_000), expected)
    half = torch.tensor([-1.0, -0.5, 0.0, 0.5] * 400, dtype=torch.bfloat16)
    np.testing.assert_array_equal(samples_of(half, 16_000), expected)


def test_files_in_memory_are_read_as_files(files):
    expected, content = load_audio(files["pcm"]), files["pcm"].read_bytes()
    for given in (content, bytearray(content), io.BytesIO(content), {"bytes": content, "path": None}, files["pcm"]):
        np.testing.assert_array_equal(samples_of(given, None), expected)
    with files["pcm"].open("rb") as file:
        name, audio = read_source(file, None, "recording 1")
    assert (name, audio) == (str(files["pcm"]), AudioContent(name, content))


def test_dictionaries_of_datasets_are_read_decoded_or_not(files):
    expected = load_audio(files["mono"])
    array = NOISE[:, 0]
    for given in (
        {"array": array, "sampling_rate": RATE, "path": None},
        {"array": array.tolist(), "sampling_rate": RATE, "path": "x.wav"},
        {"bytes": None, "path": str(files["mono"])},
    ):
        np.testing.assert_allclose(samples_of(given, None), expected, atol=1e-7)
    assert read_source({"array": array, "sampling_rate": RATE, "path": "x.wav"}, None, "recording 1")[0] == "x.wav"


def test_a_decoder_of_torchcodec_gives_its_samples(files):
    decoded = SimpleNamespace(data=torch.from_numpy(NOISE.T), sample_rate=RATE)
    decoder = SimpleNamespace(get_all_samples=lambda: decoded)
    np.testing.assert_array_equal(samples_of(decoder, None), load_audio(files["float"]))


@pytest.mark.parametrize(
    ("given", "rate", "message"),
    [
        (NOISE, None, "a waveform without its sampling rate; give sampling_rate, in Hz"),
        (NOISE, 0, "sampling_rate must be a whole number of Hz, got 0"),
        (NOISE, 44.1, "sampling_rate must be a whole number of Hz, got 44.1"),
        (NOISE, "16k", "sampling_rate must be a whole number of Hz, got '16k'"),
        (NOISE[None], RATE, r"found \(1, 11025, 2\)"),
        (np.zeros((500, 400)), RATE, r"found \(500, 400\)"),
        (np.zeros(()), RATE, r"found \(\)"),
        (NOISE.astype(np.int64), RATE, "or as integers of 8, 16 or 32 bits, found int64"),
        (NOISE > 0, RATE, "found bool"),
        (np.array(["a.wav", "b.wav"]), RATE, "found <U5"),
        ({"audio": {"array": NOISE}}, RATE, "found the keys 'audio'; give the entry that holds the audio"),
        ({"array": NOISE}, None, "a waveform without its sampling rate"),
    ],
)
def test_what_is_no_waveform_is_an_error_that_says_what_it_is(given, rate, message):
    with pytest.raises(TranslationError, match=f"^recording 1: .*{message}"):
        read_source(given, rate, "recording 1")


@pytest.mark.parametrize(
    ("given", "rate", "message"),
    [
        (3.5, None, r"found float; a waveform is given as translate\(waveform, sampling_rate=rate\)"),
        (None, None, "found NoneType"),
        ("a.wav", RATE, "sampling_rate has no effect on an audio file"),
        (io.StringIO("x"), None, "must be opened in binary mode"),
    ],
)
def test_what_is_no_speech_at_all_is_an_error_of_the_program(given, rate, message):
    with pytest.raises(TypeError, match=message):
        read_source(given, rate, "recording 1")
