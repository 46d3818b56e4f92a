"""Ogg with other streams beside the sound, and with FLAC in it."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ogg_files import RATE, SOUND, check_is, decoded, noise, ogg, ogg_flac, pages_of, read, written

from preprocess.errors import AudioError
from preprocess.speech.audio.containers.ogg.pages import FIRST, Page


def beside(packet: bytes, last: bytes = b"") -> Callable[[bytes], bytes]:
    """Put a stream beside another: its first page in front, and pages between."""

    def put(content: bytes) -> bytes:
        page = Page(0, FIRST, 0, 4711, 0, bytes([len(packet)]))
        later = [(replace(page, flags=0, granule=index, number=index), packet) for index in range(1, 9)]
        pages = pages_of(content)
        mixed = itertools.chain.from_iterable(itertools.zip_longest(pages, later))
        return written([(page, packet), *filter(None, mixed)])

    return put


@pytest.mark.parametrize("codec", SOUND)
@pytest.mark.parametrize("packet", [b"fishead\0" + bytes(56), b"\x80theora" + bytes(35)])
def test_streams_without_sound_are_left_out(codec: str, packet: bytes):
    content = beside(packet)(ogg(codec))
    check_is(content, decoded(ogg(codec)))
    check_is(content + ogg("OPUS"), decoded(ogg(codec)), decoded(ogg("OPUS")))


def test_what_cannot_be_read_is_told():
    with pytest.raises(AudioError, match=r"2 streams of sound lie side by side in it: Speex, Opus; take one of them"):
        read(beside(b"Speex   " + bytes(72))(ogg("OPUS")))
    with pytest.raises(AudioError, match=r"x.ogg: Ogg with CELT, which libsndfile does not read; ffmpeg -i"):
        read(beside(b"CELT    " + bytes(72))(b""))
    with pytest.raises(AudioError, match=r"x.ogg: an Ogg file without a stream of sound"):
        read(beside(b"fishead\0" + bytes(56))(b""))
    with pytest.raises(AudioError, match=r"Ogg with an unknown codec \(b'whatever'\)"):
        read(ogg("OPUS") + beside(b"whatever")(b""))


def test_flac_in_ogg_is_read():
    samples = noise(2 * RATE + 99)
    content, expected = ogg_flac(samples), samples.astype(np.float32) / 32768
    check_is(content, expected)
    check_is(content + ogg("VORBIS") + content, expected, decoded(ogg("VORBIS")), expected)
    with pytest.raises(AudioError, match=r"cut short or corrupt"):
        read(content[:-100])
    pages = pages_of(content)
    with pytest.raises(AudioError, match=r"its begin was cut off: it begins with the number 1"):
        read(written(pages[:2] + pages[4:]))
