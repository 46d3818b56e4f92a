"""The choice of what decodes a whole audio file: libsndfile, or PyAV where that does not know it."""

import functools
import importlib.util
import io
import os
from pathlib import Path
from typing import BinaryIO

from ...errors import AudioError
from .av_decoder import AvDecoder
from .av_packets import Packets, count_packets
from .decoder import Decoder
from .foreign_formats import ForeignFormat, find_foreign, find_headerless, find_unknown_codec
from .parts import PartFile

UNKNOWN_CODEC, BAD_FORMAT_OF_WAV = 4, 64  # libsndfile's numbers of errors; it gives the latter for unknown codecs too
REMEMBERED_FILES = 64


def open_decoder(source: Path | io.BytesIO, file: BinaryIO, name: str) -> Decoder | AvDecoder:
    """Open a file by what reads it.

    Args:
        source: its path, or all of it.
        file: the same, open.
        name: what errors call it.

    Raises:
        AudioError: nothing that is installed reads it; it says what the file is, as far as that is known.
    """
    import soundfile

    kind = find_foreign(file)
    if kind is None:
        try:
            return Decoder(source)
        except soundfile.LibsndfileError as error:
            no_codec = error.code in (UNKNOWN_CODEC, BAD_FORMAT_OF_WAV)
            kind = find_unknown_codec(file) if no_codec else find_headerless(file, name)
            if kind is None:
                raise
    if not kind.demuxer or importlib.util.find_spec("av") is None:
        raise kind.error(name)
    try:
        return _open_by_av(source, file, kind, name)
    except AudioError as error:
        advice = f"if it plays elsewhere, convert it: {kind.advice_for(name)}"
        raise AudioError.of(error, advice=error.advice or advice) from error


def _open_by_av(source: Path | io.BytesIO, file: BinaryIO, kind: ForeignFormat, name: str) -> AvDecoder:
    size = file.seek(0, io.SEEK_END)
    whole = PartFile(file, [range(size)])
    if isinstance(source, Path):
        packets = _remembered_packets(source, size, os.stat(source).st_mtime_ns, kind.demuxer)
    else:
        packets = count_packets(whole, kind.demuxer, name)
    return AvDecoder(whole, kind.demuxer, packets)


@functools.lru_cache(maxsize=REMEMBERED_FILES)
def _remembered_packets(path: Path, size: int, changed: int, demuxer: str) -> Packets:
    """Packets of a file; a talk is opened once for each of its segments, and its packets are counted once."""
    with open(path, "rb") as file:
        return count_packets(PartFile(file, [range(size)]), demuxer, str(path))
