"""Ogg of which something is missing, corrupt or not Ogg: an error, and no shorter file."""

from dataclasses import replace

import numpy as np
import pytest
from ogg_files import RATE, SOUND, changed, check_is, decoded, noise, ogg, ogg_flac, pages_of, read, written

from preprocess.errors import AudioError


@pytest.mark.parametrize("codec", SOUND)
def test_a_page_that_is_missing_is_told(codec: str):
    content = changed(ogg(codec), lambda index, page: None if index == SOUND[codec] + 1 else page)
    with pytest.raises(AudioError, match=r"x.ogg: corrupt: [01]\.\d\d s of sound are missing before byte \d+; ffmpeg"):
        read(content)
    with pytest.raises(AudioError, match=r"of sound are missing"):
        read(ogg("OPUS") + content)


@pytest.mark.parametrize("codec", SOUND)
def test_a_page_that_is_corrupt_is_told(codec: str):
    for page, _ in pages_of(ogg(codec, 4.5))[SOUND[codec] :]:
        content = bytearray(ogg(codec, 4.5))
        content[page.start + 100] ^= 1
        with pytest.raises(AudioError, match=r"corrupt"):
            read(bytes(content))


@pytest.mark.parametrize("codec", SOUND)
def test_a_header_that_is_corrupt_is_told(codec: str):
    for page, _ in pages_of(ogg(codec))[: SOUND[codec]]:
        content = bytearray(ogg(codec))
        content[page.start + 35] ^= 1
        with pytest.raises(AudioError, match=r"corrupt|begin was cut off"):
            read(bytes(content))


@pytest.mark.parametrize("kept", [2000, 200, 27, 20, 4])
@pytest.mark.parametrize("codec", SOUND)
def test_a_file_that_is_cut_within_a_page_is_told(codec: str, kept: int):
    last = pages_of(ogg(codec))[-2][0].start
    with pytest.raises(AudioError, match=rf"x.ogg: cut short or corrupt: its page at byte {last} is not whole"):
        read(ogg(codec)[: last + kept])


@pytest.mark.parametrize("codec", SOUND)
def test_a_link_that_is_cut_before_its_sound_is_told(codec: str):
    pages = pages_of(ogg(codec))
    for page, _ in pages[1 : SOUND[codec] + 1]:
        for kept in (0, 15, 40) if page.number < SOUND[codec] else (15, 40):
            with pytest.raises(AudioError, match="cut short"):
                read(ogg("OPUS") + ogg(codec)[: page.start + kept])


def test_a_packet_without_its_begin_is_told():
    content = ogg_flac(noise(2 * RATE))
    halves = [page for page, _ in pages_of(content) if page.granule == -1]
    for page in halves[1:]:
        broken = bytearray(content)
        broken[page.start + 100] ^= 1
        with pytest.raises(AudioError, match=r"corrupt: 0.2\d s of sound are missing"):
            read(bytes(broken))


@pytest.mark.parametrize("codec", SOUND)
def test_a_loss_of_less_than_50_ms_at_the_end_is_none(codec: str):
    pages = pages_of(ogg(codec))
    kept = written(pages[:-2])
    page, body = pages[-2]
    short = replace(page, granule=pages[-3][0].granule + 300)
    assert len(read(kept + written([(short, body)])[:-10])) == len(read(kept))


def test_a_stream_without_its_begin_is_told():
    content = written(pages_of(ogg("OPUS"))[1:])
    with pytest.raises(AudioError, match=r"x.ogg: its begin was cut off: the page at byte 0 is of a stream without"):
        read(content)


@pytest.mark.parametrize("junk", [b"x", bytes(70_000), b"OggS" + bytes(100), b"TAG" + bytes(125)])
@pytest.mark.parametrize("codec", SOUND)
def test_junk_is_no_sound(codec: str, junk: bytes):
    content, pages = ogg(codec), pages_of(ogg(codec))
    check_is(content + junk, decoded(content))
    check_is(written(pages[:4]) + junk + written(pages[4:]), decoded(content))
    check_is(b"ID3\x04\0\0\0\0\x01\x0a" + bytes(138) + content, decoded(content))


@pytest.mark.parametrize("codec", SOUND)
def test_what_stands_behind_the_last_page_is_told(codec: str):
    content, other = ogg(codec), np.random.default_rng(0).bytes(3_000)
    for behind in (other, b"fLaC" + other, b"RIFF" + other, b"ID3\x04\0\0\0\0\x01\x0a" + bytes(138) + other):
        whole = content + behind
        with pytest.raises(
            AudioError, match=rf"bytes {len(content)} to {len(whole)} of the file belong to no part of it"
        ):
            read(whole)


def test_what_looks_like_pages_again_and_again_is_given_up():
    content = ogg("VORBIS") + b"OggS" * 20_000
    with pytest.raises(AudioError, match=r"x.ogg: corrupt: 1025 of its pages are not whole, the last at byte \d+"):
        read(content)
    assert len(pages_of(ogg("VORBIS") + b"OggS" * 900)) > 900
