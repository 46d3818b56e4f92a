import functools
import io
import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocess.errors import AudioError
from preprocess.speech.audio import AudioContent, check_audio, open_audio
from preprocess.speech.audio.containers import find_parts
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


def test_positions_may_jump_where_nothing_is_missing():
    def paused(index: int, page: Page) -> Page:
        return replace(page, granule=page.granule + (100_000 if index > 3 else 0))

    check_is(changed(ogg("OPUS"), paused), decoded(ogg("OPUS")))


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
