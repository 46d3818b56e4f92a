"""Tags around audio."""

from typing import BinaryIO

ID3V2_HEADER_BYTES = 10


def skip_id3v2(file: BinaryIO) -> int:
    """The byte behind the ID3v2 tags in front of a file; 0 where there is none."""
    at = 0
    while True:
        file.seek(at)
        header = file.read(ID3V2_HEADER_BYTES)
        if len(header) < ID3V2_HEADER_BYTES or header[:3] != b"ID3" or max(header[6:]) > 0x7F:
            return at
        length = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        has_footer = header[5] >> 4 & 1
        at += ID3V2_HEADER_BYTES * (1 + has_footer) + length
