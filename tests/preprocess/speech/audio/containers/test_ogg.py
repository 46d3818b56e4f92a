"""Lengths and samples of Ogg that is whole, however its pages are numbered, placed and joined."""

import io
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ogg_files import RATE, SOUND, Pages, changed, check_is, decoded, ogg, pages_of, read, written

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, check_audio, open_audio
from preprocess.speech.audio.containers import find_parts
from preprocess.speech.audio.containers.ogg.pages import LAST, Page


def test_checksums_are_those_of_libogg():
    for codec in SOUND:
        assert all(page.is_whole for page, _ in pages_of(ogg(codec)))
        assert changed(ogg(codec), lambda _, page: page) == ogg(codec)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("codec", SOUND)
def test_a_plain_file_is_read_as_libsndfile_reads_it(codec: str, rate: int, channels: int):
    content = ogg(codec, 1.0, rate=rate, channels=channels)
    assert codec == "OPUS" or find_parts(io.BytesIO(content), len(content)) == []
    (part,) = find_parts(io.BytesIO(content + b"TAG"), len(content) + 3)
    assert (part.num_samples, part.sample_rate) == (rate + 77, rate)
    check_is(content, decoded(content))


@pytest.mark.parametrize("codec", SOUND)
def test_a_stretch_begins_at_the_right_sample_wherever_it_was_read_before(codec: str):
    content = ogg(codec, 12.0, rate=8_000)
    with open_audio(AudioContent("x.ogg", content)) as audio:
        for start in (70_000, 21_001, 95_000, 30_500, 30_000, 47_300, 1_000, 96_000):
            assert np.array_equal(audio.read_samples(start, 700), decoded(content)[start : start + 700])


@pytest.mark.parametrize("codecs", list(itertools.product(SOUND, repeat=2)))
def test_links_are_read_one_after_the_other(codecs: tuple[str, str]):
    first, second = ogg(codecs[0]), ogg(codecs[1], 2.0, seed=1)
    check_is(first + second, decoded(first), decoded(second))
    check_is(first + first + second, decoded(first), decoded(first), decoded(second))


def test_links_are_read_from_disk_alike(tmp_path: Path):
    (tmp_path / "x.ogg").write_bytes(ogg("VORBIS") + ogg("OPUS"))
    with open_audio(tmp_path / "x.ogg") as audio:
        assert np.array_equal(audio.read_samples(0, 10**7), read(ogg("VORBIS") + ogg("OPUS")))


def test_links_of_two_rates_are_refused_but_an_empty_link_has_none():
    with pytest.raises(AudioError, match=r"x.ogg: joined of streams at 16000 and 8000 samples a second"):
        read(ogg("VORBIS") + ogg("OPUS", rate=8_000))
    empty = written(pages_of(ogg("VORBIS", rate=8_000))[:2])
    check_is(ogg("OPUS") + empty, decoded(ogg("OPUS")))
    with pytest.raises(AudioError, match=r"x.ogg: too short: 0.0 ms"):
        check_audio(AudioContent("x.ogg", empty))


@pytest.mark.parametrize("shift", [-3_000, 480, 10**9, 2**40])
@pytest.mark.parametrize("codec", SOUND)
def test_positions_may_begin_anywhere(codec: str, shift: int):
    def shifted(index: int, page: Page) -> Page:
        return replace(page, granule=page.granule + shift) if index >= SOUND[codec] else page

    check_is(changed(ogg(codec), shifted), decoded(ogg(codec)))


@pytest.mark.parametrize("codec", SOUND)
def test_a_broadcast_is_read_from_where_it_was_joined(codec: str):
    def late(index: int, page: Page) -> Page | None:
        return None if SOUND[codec] <= index < SOUND[codec] + 2 else page

    found, whole = read(changed(ogg(codec), late)), decoded(ogg(codec))
    assert RATE < len(found) < len(whole)
    tail = whole[-len(found) :]
    assert np.allclose(found[1000:], tail[1000:], atol=0.02)


ENDS: dict[str, Callable[[Pages], Pages]] = {
    "none": lambda pages: [(replace(page, flags=page.flags & ~LAST), body) for page, body in pages],
    "two": lambda pages: [
        (replace(page, flags=page.flags | LAST * (index >= len(pages) - 2)), body)
        for index, (page, body) in enumerate(pages)
    ],
    "early": lambda pages: [
        (replace(page, flags=page.flags & ~LAST | LAST * (index == len(pages) - 3)), body)
        for index, (page, body) in enumerate(pages)
    ],
    "empty": lambda pages: [
        *((replace(page, flags=page.flags & ~LAST), body) for page, body in pages),
        (replace(pages[-1][0], number=len(pages), lacing=b""), b""),
    ],
    "empty without position": lambda pages: [
        *((replace(page, flags=page.flags & ~LAST), body) for page, body in pages),
        (replace(pages[-1][0], number=len(pages), lacing=b"", granule=-1), b""),
    ],
    "empty at 0": lambda pages: [
        *((replace(page, flags=page.flags & ~LAST), body) for page, body in pages),
        (replace(pages[-1][0], number=len(pages), lacing=b"", granule=0), b""),
    ],
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("codec", SOUND)
def test_the_end_need_not_be_marked_as_it_should(codec: str, end: str):
    content = written(ENDS[end](pages_of(ogg(codec))))
    check_is(content, decoded(ogg(codec)))
    check_is(content + ogg("VORBIS", 1.0), decoded(ogg(codec)), decoded(ogg("VORBIS", 1.0)))


@pytest.mark.parametrize("codec", SOUND)
def test_a_last_page_without_position_ends_with_its_last_packet(codec: str):
    last = len(pages_of(ogg(codec))) - 1
    content = changed(ogg(codec), lambda index, page: replace(page, granule=-1) if index == last else page)
    found, whole = read(content), decoded(ogg(codec))
    assert 0 <= len(found) - len(whole) < 2048
    assert np.array_equal(found[: len(whole)], whole)


@pytest.mark.parametrize("codec", SOUND)
def test_numbers_may_jump_where_nothing_is_missing(codec: str):
    def jumping(index: int, page: Page) -> Page:
        return replace(page, number=page.number + (7 if index > SOUND[codec] else 0) + (9 if index > 4 else 0))

    check_is(changed(ogg(codec), jumping), decoded(ogg(codec)))


@pytest.mark.parametrize("granule", [0, 5])
@pytest.mark.parametrize("codec", SOUND)
def test_a_position_that_stands_still_is_none(codec: str, granule: int):
    content, last = ogg(codec), len(pages_of(ogg(codec))) - 1
    for first in (SOUND[codec], last - 1):
        constant = changed(
            content,
            lambda index, page, first=first: replace(page, granule=granule if index >= first else page.granule),
        )
        found, whole = read(constant), decoded(content)
        assert 0 <= len(found) - len(whole) < 2048
        assert np.array_equal(found[: len(whole)], whole)
    page, body = pages_of(content)[-1]
    before = pages_of(content)[:-1]
    trimmed = written([*before, (replace(page, granule=before[-1][0].granule), body)])
    assert len(read(trimmed)) == len(read(written(before)))


def test_positions_may_jump_where_nothing_is_missing():
    def paused(index: int, page: Page) -> Page:
        return replace(page, granule=page.granule + (100_000 if index > 3 else 0))

    check_is(changed(ogg("OPUS"), paused), decoded(ogg("OPUS")))
