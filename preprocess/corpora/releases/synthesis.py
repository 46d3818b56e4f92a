"""Synthetic speech by flite and espeak-ng, run from unpacked Debian packages: one flac file a sentence, 16 kHz.

The file's name is a hash of voice and text, so that a run that was interrupted goes on where it stopped, and files that
are there are those of this voice and text.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import AudioError, PreprocessError
from ...files.program.progress import show_progress
from ...files.whole import whole_file
from ...speech.audio import SAMPLE_RATE, load_audio

PROGRAM_PACKAGES = ("flite", "libflite1", "espeak-ng", "libespeak-ng1", "espeak-ng-data")
# flite says others as single bytes; what stands for these sounds the same.
_PLAIN = str.maketrans(
    {"“": '"', "”": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "‑": "-", "→": "-", "…": "..."}
)


@dataclass(frozen=True)
class Voice:
    """A voice of one of the two programs."""

    program: str  # flite or espeak-ng
    name: str

    @property
    def speaker(self) -> str:
        """Name of the voice in the column `speaker` of a manifest."""
        return f"synthetic:{self.program}-{self.name}"


VOICES = (
    *(Voice("flite", name) for name in ("slt", "rms", "awb", "kal16")),
    *(Voice("espeak-ng", name) for name in ("en-us", "en-us+f2", "en-gb+f4", "en-gb+m3")),
)


@dataclass(frozen=True)
class Spoken:
    """A sentence and the voice that says it."""

    text: str
    voice: Voice

    def path(self, folder: Path) -> Path:
        """Path of its speech within a folder of speech."""
        name = hashlib.sha256(f"{self.voice.speaker}\n{self.text}".encode()).hexdigest()
        return folder / name[:2] / f"{name[2:18]}.flac"


def is_speakable(text: str) -> bool:
    """Whether the programs know all characters of an English text."""
    return text.translate(_PLAIN).isascii()


def voice_of(text: str) -> Voice:
    """The voice that says a text: always the same, chosen by a hash of the text."""
    return VOICES[int(hashlib.sha256(text.encode()).hexdigest(), 16) % len(VOICES)]


def synthesize(sentences: Iterable[Spoken], folder: Path, unpacked: Path, workers: int) -> None:
    """Make the speech that `folder` lacks, `workers` sentences at a time; each file is there whole or not at all.

    Args:
        sentences: what is to be said.
        folder: of speech.
        unpacked: of the programs' packages; a program that is not there is taken from this machine.
        workers: number of sentences at a time.

    Raises:
        PreprocessError: a program is missing or fails, or there is not one worker.
        AudioError: a program wrote something that is no speech.
        OutputError: a file cannot be written.
    """
    from joblib import Parallel, delayed

    if workers < 1:
        raise PreprocessError(f"--workers must be at least 1, got {workers}")
    everything = list(sentences)
    missing = [sentence for sentence in everything if not sentence.path(folder).is_file()]
    if not missing:
        return
    programs = {name: _find_program(name, unpacked) for name in {sentence.voice.program for sentence in missing}}
    environment = _environment(unpacked)
    # Threads: the programs are processes of their own.
    parallel = Parallel(n_jobs=workers, prefer="threads", return_as="generator_unordered")
    done = parallel(
        delayed(_speak)(sentence, programs[sentence.voice.program], environment, sentence.path(folder))
        for sentence in missing
    )
    with show_progress("speech", " sentences", len(everything), done=len(everything) - len(missing)) as progress:
        for _ in done:
            progress.update()


def _speak(sentence: Spoken, program: Path, environment: dict[str, str], path: Path) -> None:
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        # As an argument a text could be taken for an option.
        text, wav = Path(folder) / "text", Path(folder) / "speech.wav"
        text.write_text(sentence.text.translate(_PLAIN), encoding="ascii")
        voice_option, wav_option = {"flite": ("-voice", "-o"), "espeak-ng": ("-v", "-w")}[sentence.voice.program]
        command = [str(program), voice_option, sentence.voice.name, "-f", str(text), wav_option, str(wav)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode or not wav.is_file():
            raise PreprocessError(
                f"`{' '.join(command)}` failed with status {done.returncode} at the text '{sentence.text}': "
                f"{done.stderr.strip()}"
            )
        waveform = load_audio(wav)
    if not waveform.any():
        raise AudioError(f"{sentence.voice.speaker} was silent at the text '{sentence.text}'")
    with whole_file(path) as temporary:
        soundfile.write(temporary, waveform, SAMPLE_RATE, format="FLAC", subtype="PCM_16")


def _find_program(name: str, unpacked: Path) -> Path:
    path = unpacked / "usr/bin" / name
    found = str(path) if path.is_file() else shutil.which(name)
    if found is None:
        raise PreprocessError(
            f"the speech synthesizer {name} is neither in {unpacked} nor on this machine",
            advice="install it",
        )
    return Path(found)


def _environment(unpacked: Path) -> dict[str, str]:
    """Environment in which the unpacked programs find their libraries and voices."""
    environment = dict(os.environ)
    libraries = sorted({str(path.parent.resolve()) for path in unpacked.rglob("*.so*")})
    voices = next(unpacked.rglob("espeak-ng-data/phontab"), None)
    if libraries:
        environment["LD_LIBRARY_PATH"] = ":".join(libraries)
    if voices is not None:
        environment["ESPEAK_DATA_PATH"] = str(voices.parents[1].resolve())
    return environment
