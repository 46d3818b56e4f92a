"""Ogg for tests: what libsndfile writes, its pages changed, and what is read of it."""

import functools
import io
import itertools
from collections.abc import Callable, Iterable

import numpy as np
import soundfile

from preprocess.speech.audio import AudioContent, open_audio
from preprocess.speech.audio.containers.ogg.pages import CONTINUED, FIRST, LAST, Page, read_pages

RATE = 16_000
SOUND = {"VORBIS": 2, "OPUS": 2}  # the first page with sound
Pages = list[tuple[Page, bytes]]


@functools.cache
def ogg(codec: str, seconds: float = 4.0, seed: int = 0, rate: int = RATE, channels: int = 1) -> bytes:
    random = np.random.default_rng(seed)
    samples = (0.1 * random.standard_normal((round(seconds * rate) + 77, channels))).astype(np.float32)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="OGG", subtype=codec)
    return buffer.getvalue()


@functools.cache
def decoded(content: bytes) -> np.ndarray:
    """What libsndfile decodes from its begin to its end."""
    samples, _ = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    return samples.mean(axis=1)


def pages_of(content: bytes) -> Pages:
    return list(read_pages(io.BytesIO(content), 0))


def written(pages: Iterable[tuple[Page, bytes]]) -> bytes:
    return b"".join(page.header(body) + body for page, body in pages)


def changed(content: bytes, change: Callable[[int, Page], Page | None]) -> bytes:
    """A file with other headers of its pages; those for which there is None are left out."""
    pages = ((change(index, page), body) for index, (page, body) in enumerate(pages_of(content)))
    return written((page, body) for page, body in pages if page)


def read(content: bytes) -> np.ndarray:
    with open_audio(AudioContent("x.ogg", content)) as audio:
        samples = audio.read_samples(0, 10**7)
        assert len(samples) == audio.num_samples
        return samples


def check_is(content: bytes, *links: np.ndarray) -> None:
    """Compare with what a file in memory gives, as a whole and from places near its joints and its end."""
    expected = np.concatenate(links)
    assert np.array_equal(read(content), expected)
    joints = list(itertools.accumulate(map(len, links)))
    with open_audio(AudioContent("x.ogg", content)) as audio:
        for start in (1, 20_000, *(joint + by for joint in joints for by in (-900, -9, 0, 5_000)), 7):
            found = audio.read_samples(start, 800)
            wanted = expected[start : start + 800]
            assert len(found) == len(wanted)
            assert np.allclose(found, wanted, atol=0.02)  # Opus converges; elsewhere noise of 0.1 is nothing like it


def noise(count: int) -> np.ndarray:
    return (3000 * np.random.default_rng(0).standard_normal(count)).astype(np.int16)


def ogg_flac(samples: np.ndarray) -> bytes:
    """FLAC in Ogg, a frame or a piece of one a page."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="FLAC", subtype="PCM_16")
    content, frames, at = buffer.getvalue(), [], 0
    while (at := content.find(b"\xff\xf8", at)) >= 0:
        if content[at + 4] == len(frames):
            frames.append(at)
        at += 1
    packets = [content[start:stop] for start, stop in itertools.pairwise([*frames, len(content)])]
    pages: Pages = []

    def put(packet: bytes, flags: int, granule: int) -> None:
        lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
        half = len(lacing) // 2  # the packet goes on on another page
        for segments in (lacing[:half], lacing[half:]) if half else (lacing,):
            length = sum(segments)
            is_rest = CONTINUED if half and segments == lacing[half:] and len(packet) < sum(lacing) else 0
            ends = segments[-1] < 255
            pages.append((Page(0, flags | is_rest, granule if ends else -1, 99, len(pages), segments), packet[:length]))
            packet = packet[length:]

    put(b"\x7fFLAC\x01\0\0\x01" + content[:42], FIRST, 0)
    put(b"\x84\0\0\x08" + bytes(8), 0, 0)
    for index, packet in enumerate(packets):
        put(packet, LAST * (index == len(packets) - 1), min(4096 * (index + 1), len(samples)))
    return written(pages)
