import ctypes
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from mpeg_files import frames_of, mp3, tone

from preprocess.speech.audio import AudioContent, open_audio
from preprocess.speech.audio.decoder_messages import without_decoder_messages


def print_in_c(text: bytes) -> None:
    libc = ctypes.CDLL(None)
    libc.fputs(text, ctypes.c_void_p.in_dll(libc, "stderr"))


def damaged_mp3() -> bytes:
    """An mp3 with wrong bytes in its frames, of which libmpg123 says something."""
    frames = [bytearray(frame) for frame in frames_of(mp3(tone(3, 16_000), 16_000))[1:]]
    for frame, place in zip(frames, np.random.default_rng(0).integers(4, 100, len(frames)), strict=True):
        frame[place] ^= 0xFF
    return b"".join(frames)


def read(content: bytes) -> int:
    with open_audio(AudioContent("x.mp3", content)) as file:
        return len(file.read_samples(0, file.num_samples))


def test_lines_of_libmpg123_do_not_reach_stderr(capfd: pytest.CaptureFixture[str], tmp_path):
    content = damaged_mp3()
    assert read(content) == 576 * len(frames_of(content))
    assert capfd.readouterr().err == ""


def test_other_lines_do(capfd: pytest.CaptureFixture[str]):
    with without_decoder_messages():
        print_in_c(b"Note: Trying to resync...\nof another library\n[src/libmpg123/layer3.c:f():1] error: bad\n")
        os.write(2, b"of Python\n")
    print_in_c(b"Note: of another time\n")
    assert capfd.readouterr().err == "of Python\nof another library\nNote: of another time\n"


def test_threads_that_decode_at_once_lose_no_line(capfd: pytest.CaptureFixture[str]):
    content, start = damaged_mp3(), threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        for line in range(20):
            with without_decoder_messages():
                print_in_c(b"line %d of %d\n" % (line, number))
            read(content)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    found = sorted(capfd.readouterr().err.splitlines())
    assert found == sorted(f"line {line} of {number}" for line in range(20) for number in range(4))


def test_a_child_process_has_the_stderr_that_this_one_had(capfd: pytest.CaptureFixture[str]):
    with without_decoder_messages():
        child = os.fork()
        if child == 0:
            print_in_c(b"of the child\n")
            os._exit(0)
        os.waitpid(child, 0)
    assert capfd.readouterr().err == "of the child\n"
