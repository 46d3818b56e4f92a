"""The containers of audio: which samples a file holds, found from all headers of its frames, pages and chunks.

Nothing is decoded, and the samples themselves are not read where the headers say where the next one is.
"""

import io
from collections.abc import Callable
from typing import BinaryIO

from ..decoder import Decoder
from ..parts import Part, PartFile
from .chunked.aiff import find_aiff_parts, is_aiff
from .chunked.au import find_au_parts, is_au
from .chunked.caf import find_caf_parts, is_caf
from .chunked.nist import find_nist_parts, is_nist
from .chunked.rare import find_rare_parts, is_rare
from .chunked.w64 import find_w64_parts, is_w64
from .chunked.wav import find_wav_parts, is_wav
from .flac.flac import find_flac_parts
from .mpeg.mpeg import find_mpeg_parts, may_be_mpeg
from .ogg.ogg import find_ogg_parts
from .tags import TAG_STARTS, behind_tags
from .window import Window

# Each is given the file and its size in bytes, and gives its parts; none where libsndfile is right about it. It raises
# AudioError, without a place, where the file is cut short or holds more than can be read.
FindParts = Callable[[BinaryIO, int], list[Part]]

# By the first bytes behind tags. A file without these tags is given, but to the last, which finds more of them.
CONTAINERS: tuple[tuple[Callable[[bytes], bool], FindParts], ...] = (
    (is_aiff, find_aiff_parts),
    (is_au, find_au_parts),
    (is_caf, find_caf_parts),
    (is_nist, find_nist_parts),
    (is_rare, find_rare_parts),
    (is_w64, find_w64_parts),
    (is_wav, find_wav_parts),
    (lambda start: start.startswith(b"fLaC"), find_flac_parts),
    (lambda start: start.startswith(b"OggS"), find_ogg_parts),
    (may_be_mpeg, find_mpeg_parts),  # MPEG audio has no name that it begins with
)
START_BYTES = 64


def find_parts(file: BinaryIO, size: int) -> list[Part]:
    """The parts of an audio file.

    Args:
        file: open for reading.
        size: of the file, bytes.

    Returns:
        The parts, in order; [] where libsndfile finds its length by itself, or does not know the container.

    Raises:
        AudioError: the file is cut short, or holds audio that cannot be read.
    """
    begin = _end_of_tags(file, size)
    file.seek(begin)
    start = file.read(START_BYTES)
    find = next((find for begins, find in CONTAINERS if begins(start)), None)
    if find is None:
        return []
    if begin == 0 or find is find_mpeg_parts:
        return find(file, size)
    untagged = io.BufferedReader(PartFile(file, [range(begin, size)]))
    if parts := find(untagged, size - begin):
        return [part.moved(begin) for part in parts]
    decoder = Decoder(untagged)
    return [Part((range(begin, size),), decoder.num_samples, decoder.sample_rate)]


def _end_of_tags(file: BinaryIO, size: int) -> int:
    file.seek(0)
    return behind_tags(Window(file, size), 0) if TAG_STARTS.match(file.read(START_BYTES)) else 0
