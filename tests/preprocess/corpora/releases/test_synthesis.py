import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from debian_stubs import Archive

from preprocess.corpora.releases.debian import fetch_packages, unpacked
from preprocess.corpora.releases.synthesis import PROGRAM_PACKAGES, VOICES, Spoken, is_speakable, synthesize, voice_of
from preprocess.errors import AudioError, PreprocessError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    archive = Archive(tmp_path, monkeypatch)
    archive.add_synthesizers()
    fetch_packages(tmp_path / "root", [], PROGRAM_PACKAGES)
    return unpacked(tmp_path / "root")


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("voice", [VOICES[0], VOICES[-1]])
def test_speech_is_flac_at_16_khz_with_what_the_program_wrote(tmp_path: Path, programs: Path, voice):
    sentence = Spoken("Open “the” file.", voice)
    synthesize([sentence], tmp_path / "speech", programs, workers=1)
    path = sentence.path(tmp_path / "speech")
    assert files_in(tmp_path / "speech") == [path]
    waveform, sample_rate = soundfile.read(path)
    assert (sample_rate, soundfile.info(path).format, len(waveform)) == (16_000, "FLAC", 3 * 1600)
    assert 0.1 < np.abs(waveform).max() < 0.6


def test_what_is_there_is_not_spoken_again_and_a_failure_keeps_what_was(tmp_path: Path, programs: Path):
    sentences = [Spoken(text, VOICES[0]) for text in ("first one", "say nothing", "third one")]
    folder = tmp_path / "speech"
    with pytest.raises(
        PreprocessError, match="flite.* failed with status 1 at the text 'say nothing': cannot say that"
    ):
        synthesize(sentences, folder, programs, workers=1)
    assert files_in(folder) == [sentences[0].path(folder)]
    before = sentences[0].path(folder).stat().st_mtime_ns
    synthesize([sentences[0], sentences[2]], folder, programs, workers=2)
    assert len(files_in(folder)) == 2
    assert sentences[0].path(folder).stat().st_mtime_ns == before


def test_silence_is_refused(tmp_path: Path, programs: Path):
    with pytest.raises(AudioError, match="synthetic:flite-slt was silent at the text 'silence'"):
        synthesize([Spoken("silence", VOICES[0])], tmp_path / "speech", programs, workers=1)
    assert files_in(tmp_path / "speech") == []


def test_without_unpacked_programs_those_of_the_machine_are_used(tmp_path: Path, programs: Path, monkeypatch):
    sentence = Spoken("one", VOICES[0])
    with pytest.raises(PreprocessError, match="the speech synthesizer flite is neither in .* nor on this machine"):
        synthesize([sentence], tmp_path / "speech", tmp_path / "none", workers=1)
    monkeypatch.setenv("PATH", f"{programs / 'usr/bin'}:{os.environ['PATH']}")
    synthesize([sentence], tmp_path / "speech", tmp_path / "none", workers=1)
    assert sentence.path(tmp_path / "speech").is_file()


def test_at_least_one_worker_is_needed(tmp_path: Path):
    with pytest.raises(PreprocessError, match="--workers must be at least 1, got 0"):
        synthesize([], tmp_path, tmp_path, workers=0)


def test_a_text_has_always_the_same_voice_and_all_voices_have_their_share():
    texts = [f"sentence number {number}" for number in range(4000)]
    voices = Counter(voice_of(text) for text in texts)
    assert set(voices) == set(VOICES)
    assert max(voices.values()) < 1.3 * min(voices.values())
    assert [voice_of(text) for text in texts[:50]] == [voice_of(text) for text in texts[:50]]
    assert all(voice.speaker.startswith("synthetic:") for voice in VOICES)


def test_other_text_or_voice_is_another_file():
    sentences = [Spoken(text, voice) for text in ("a", "b") for voice in VOICES]
    assert len({sentence.path(Path()) for sentence in sentences}) == len(sentences)


@pytest.mark.parametrize(("text", "speakable"), [("“Quoted” – it’s…", True), ("naïve", False), ("2 € each", False)])
def test_characters_that_the_programs_do_not_know_are_known(text: str, speakable: bool):
    assert is_speakable(text) is speakable
