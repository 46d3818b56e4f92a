"""The choice of what decodes a whole audio file."""

import io
from pathlib import Path
from typing import BinaryIO

from .decoder import Decoder
from .foreign_formats import find_foreign, find_headerless, find_unknown_codec

UNKNOWN_CODEC, BAD_FORMAT_OF_WAV = 4, 64  # libsndfile's numbers of errors; it gives the latter for unknown codecs too


def open_decoder(source: Path | io.BytesIO, file: BinaryIO, name: str) -> Decoder:
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
    raise kind.error(name)
