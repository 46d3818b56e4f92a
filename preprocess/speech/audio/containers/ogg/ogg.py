"""Ogg files: Vorbis, Opus and FLAC, in all links of a chain; other streams beside the sound are left out.

`cat a.ogg b.ogg` makes a chain, and a broadcast does at each piece of music; libsndfile reads the first link.
"""

from typing import BinaryIO

from .....errors import AudioError
from ...parts import Part
from ..remainder import check_remainder
from .codecs import codec_of
from .pages import FIRST, UNKNOWN_SERIAL, read_pages
from .streams import Stream

Link = dict[int, Stream | str]  # by serial number; the name of the codec where it cannot be read, "" if it is no sound


def find_ogg_parts(file: BinaryIO, size: int) -> list[Part]:
    """The links of an Ogg file; see `find_parts`."""
    links = _read_links(file, size)
    parts = [stream.part(file) for stream in map(_sound_of, links) if stream]
    if not parts:
        raise AudioError("an Ogg file without a stream of sound")
    parts = [part for part in parts if part.num_samples] or parts[:1]  # an empty link may have any rate
    return [] if parts[0].pieces == (range(size),) and parts[0].num_samples else parts


def _read_links(file: BinaryIO, size: int) -> list[Link]:
    links: list[Link] = []
    is_beginning, end = False, 0
    for page, body in read_pages(file, 0):
        if page.is_whole or page.start >= end:
            end = page.body.stop  # of a page that was cut at the end of the file: behind it
        if page.is_whole:
            if page.flags & FIRST:
                if not is_beginning:
                    links.append({})
                codec = codec_of(body)
                links[-1][page.serial] = codec if isinstance(codec, str) else Stream(codec)
            is_beginning = bool(page.flags & FIRST)
            if not links or page.serial not in links[-1]:
                raise AudioError(
                    f"its begin was cut off: the page at byte {page.start} is of a stream without header",
                    advice="cut streams as ffmpeg does: it keeps their headers",
                )
        for serial, stream in links[-1].items() if links else ():
            if isinstance(stream, Stream) and page.serial in (serial, UNKNOWN_SERIAL):
                stream.add(page, body)
    if not links:
        raise AudioError("corrupt or cut short: it has no whole page of Ogg")
    check_remainder(file, end, size)
    return links


def _sound_of(link: Link) -> Stream | None:
    """The stream of sound in a link; None where it has none.

    Raises:
        AudioError: there are several, or it cannot be read.
    """
    streams = [stream for stream in link.values() if stream]
    if len(streams) > 1:
        names = ", ".join(stream if isinstance(stream, str) else stream.codec.name for stream in streams)
        raise AudioError(
            f"{len(streams)} streams of sound lie side by side in it: {names}",
            advice="take one of them: ffmpeg -i FILE -map 0:a:0 NEW.flac",
        )
    for stream in streams:
        if isinstance(stream, str):
            raise AudioError(f"Ogg with {stream}, which libsndfile does not read", advice="ffmpeg -i FILE NEW.flac")
        return stream
    return None
