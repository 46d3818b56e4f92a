from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from preprocess.errors import AudioError, ExtractorError, ManifestError
from preprocess.speech import frames as frames_module
from preprocess.speech.audio import load_audio
from preprocess.speech.extractors.mfcc import MfccExtractor
from preprocess.speech.frames import AudioSpan, extract_frames, frames_of, read_spans


@pytest.fixture
def spans(make_manifest) -> list[AudioSpan]:
    """Nine files of 0.4 to 0.7 s."""
    return read_spans(make_manifest(count=9), check_audio=True)


class NotingExtractor(MfccExtractor):
    """Notes the lengths of the waveforms of each batch, and refuses those of `refused` samples."""

    def __init__(self, refused: int = 0) -> None:
        super().__init__()
        self.batches: list[list[int]] = []
        self._refused = refused

    def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        self.batches.append([len(waveform) for waveform in waveforms])
        if self._refused in self.batches[-1]:
            raise ExtractorError("not this one")
        return super().frames(waveforms)


def test_every_span_comes_once_with_the_frames_it_has_alone(spans):
    found = {item.position: item for item in extract_frames(spans, MfccExtractor(), skip_faults=False)}
    assert sorted(found) == list(range(9))
    for position, span in enumerate(spans):
        waveform = load_audio(span.audio)
        assert found[position].span is span
        assert found[position].seconds == len(waveform) / 16_000
        assert np.array_equal(found[position].frames, MfccExtractor().frames([waveform])[0])


def test_batches_have_similar_lengths_and_their_padded_length_is_bounded(spans, monkeypatch):
    monkeypatch.setattr(frames_module, "BATCH_SECONDS", 1.5)
    extractor = NotingExtractor()
    list(extract_frames(spans, extractor, skip_faults=False))
    assert [16_000 * 0.1 * tenths for tenths in (7, 7, 6, 6, 5, 5, 4, 4, 4)] == [*chain(*extractor.batches)]
    assert [len(batch) for batch in extractor.batches] == [2, 2, 3, 2]


def test_rows_of_the_same_stretch_are_one_span(make_manifest):
    path = make_manifest(count=2)
    header, first, second, text = path.read_text().splitlines()
    again = second.replace("u1", "u1-es", 1)
    later = second.replace("u1", "late", 1).replace("\t\t\ten", "\t0.1\t\ten", 1)
    path.write_text("\n".join([header, first, second, text, again, later]) + "\n")
    found = read_spans(path, check_audio=True)
    assert [span.ids for span in found] == [("u0",), ("u1", "u1-es"), ("late",)]
    assert [span.locations for span in found] == [(f"{path}:2",), (f"{path}:3", f"{path}:5"), (f"{path}:6",)]
    assert [span.offset for span in found] == [0, 0, 0.1]


def test_missing_audio_is_found_before_the_work_unless_faults_are_skipped(make_manifest, tmp_path: Path):
    path = make_manifest(count=3)
    (tmp_path / "audio/1.wav").unlink()
    with pytest.raises(ManifestError, match=f"{path}:3: utterance 'u1': audio not found"):
        read_spans(path, check_audio=True)
    spans = read_spans(path, check_audio=False)
    with pytest.raises(AudioError, match=f"{path}:3: utterance 'u1': .*1.wav: audio file not found") as raised:
        list(extract_frames(spans, MfccExtractor(), skip_faults=False))
    assert raised.value.places == (f"{path}:3", "utterance 'u1'", str(tmp_path / "audio/1.wav"))
    found = {item.position: item for item in extract_frames(spans, MfccExtractor(), skip_faults=True)}
    assert found[1].frames.shape == (0, 39)
    assert str(found[1].fault) == f"{tmp_path / 'audio/1.wav'}: audio file not found"
    assert [len(found[position].frames) > 0 for position in (0, 2)] == [True, True]


def test_a_span_that_the_extractor_refuses_does_not_take_its_batch_along(spans):
    refused = round(0.5 * 16_000)  # u1 and u5
    with pytest.raises(ExtractorError, match="train.tsv:3: utterance 'u1': not this one"):
        list(extract_frames(spans, NotingExtractor(refused), skip_faults=False))
    found = {item.position: item for item in extract_frames(spans, NotingExtractor(refused), skip_faults=True)}
    assert {position for position, item in found.items() if str(item.fault) == "not this one"} == {1, 5}
    whole = {item.position: item for item in extract_frames(spans, MfccExtractor(), skip_faults=True)}
    for position in {0, 2, 3, 4, 6, 7, 8}:
        assert np.array_equal(found[position].frames, whole[position].frames)


def test_waveforms_that_somebody_else_read_give_the_same_frames(spans, monkeypatch):
    monkeypatch.setattr(frames_module, "BATCH_SECONDS", 1.5)
    refused = round(0.5 * 16_000)  # u1 and u5
    waveforms = {10 * position: load_audio(span.audio) for position, span in enumerate(spans)}
    found = dict(frames_of(waveforms, NotingExtractor(refused)))
    assert sorted(found) == sorted(waveforms)
    for key, frames in found.items():
        if key in (10, 50):
            assert isinstance(frames, ExtractorError)
        else:
            assert np.array_equal(frames, MfccExtractor().frames([waveforms[key]])[0])


def test_frames_that_are_no_numbers_are_a_fault_of_their_span_alone(spans, monkeypatch):
    class Broken(MfccExtractor):
        def frames(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
            frames = super().frames(waveforms)
            frames[-1][3, 2] = np.inf
            return frames

    found = list(extract_frames(spans, Broken(), skip_faults=True))
    message = "gave NaN or infinite frames, the first of them 3 of "
    assert [item.position for item in found if message in str(item.fault)] == [8]
