"""Decoding: any audio file that libsndfile or PyAV reads -> mono float32 samples at 16 kHz in [-1, 1].

| file or stretch of it                             | what happens                                                   |
|---------------------------------------------------|----------------------------------------------------------------|
| wav, flac, ogg, opus, mp3 at any sampling rate    | resampled to 16 kHz                                            |
| m4a, mp4, webm, aac, wma, amr and others          | the same, where PyAV is installed; else an error with advice   |
| video; several sound tracks                       | its sound; the first track, and a warning                      |
| stereo or more channels                           | averaged to one; a warning where they cancel each other        |
| silent                                            | fine: silence is sound too                                     |
| float samples a little beyond 1 (up to 2)         | clipped to [-1, 1]; lossy codecs overshoot                     |
| float samples beyond 2                            | error: they are not scaled to [-1, 1]                          |
| stretch ends up to 50 ms after its file           | cut at the end of the file: manifests round                    |
| stretch ends or begins later than that            | error                                                          |
| longer than 60 s                                  | error: cut it by rows with offset and duration                 |
| shorter than 25 ms (such as 20 ms)                | error: no speech encoder makes a frame of it                   |
| missing, empty, not audio, corrupt                | error                                                          |
| length unknown or a little wrong in its header    | read to the end of the file: it was written to a pipe          |
| cut short: wav, w64, aiff, au, caf, sphere        | error, but for 50 ms                                           |
| bytes behind the samples that may be samples      | error                                                          |
| cut short: flac                                   | error                                                          |
| cut short: mp3                                    | error if its header says so; else a shorter file               |
| mp3: any header, bit rates, tags, joined by `cat` | read as its frames say                                         |
| mp3 in which more than a frame is damaged         | error that says where                                          |
| cut short: ogg, opus                              | error; between two pages without a marked end: a shorter file  |
| ogg, opus, flac joined by `cat`, of one rate      | all are read, one after the other                              |
| ogg with other streams beside the sound           | these are left out; several of sound are an error              |
| ogg in which a page is missing or corrupt         | error                                                          |
| NaN or infinite samples                           | error                                                          |

Every error is an AudioError that names the file. Levels are not changed and silence is not removed.
"""

from .audio_file import AudioContent, AudioFile, Sound, check_audio, load_audio, load_sound, measure_audio, open_audio
from .length_limits import END_TOLERANCE_SECONDS, MAX_SECONDS, MIN_SECONDS, LengthLimits
from .samples import SAMPLE_RATE

__all__ = [
    "END_TOLERANCE_SECONDS",
    "MAX_SECONDS",
    "MIN_SECONDS",
    "SAMPLE_RATE",
    "AudioContent",
    "AudioFile",
    "LengthLimits",
    "Sound",
    "check_audio",
    "load_audio",
    "load_sound",
    "measure_audio",
    "open_audio",
]
