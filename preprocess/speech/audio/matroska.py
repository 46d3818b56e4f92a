"""The end of a WebM or Matroska file (RFC 8794, RFC 9559), which FFmpeg takes as it comes."""

import io

from ...errors import AudioError

# They hold other elements, and a recorder that cannot seek back gives them no length.
SEGMENT, CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
LONGEST_ID, LONGEST_LENGTH = 4, 8
LONGEST_HEADER = LONGEST_ID + LONGEST_LENGTH


def check_matroska_end(file: io.RawIOBase, size: int) -> None:
    """Check that the file ends where an element of it ends.

    Args:
        file: open for reading.
        size: of the file, bytes.

    Raises:
        AudioError: it was cut within one.
    """
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(LONGEST_HEADER) or b""
        id_length = 9 - header[0].bit_length()
        coded = header[id_length:] or b"\1"
        length = 9 - coded[0].bit_length()
        if id_length > LONGEST_ID or length > LONGEST_LENGTH:
            return  # something else was put behind it
        end = position + id_length + length
        if end <= size and header[:id_length] not in (SEGMENT, CLUSTER):
            end += int.from_bytes(coded[:length]) - (1 << 7 * length)
        if end > size:
            raise AudioError("cut short: its last part is not whole")
        position = end
