"""Parts of an audio file: where its samples lie, as its frames and pages say, whatever a header claims.

A decoder believes headers, and reads one stream. Where a header is wrong, says nothing, or is followed by another
stream, the file is given to it in parts: each a file of its own, made of ranges of the file and of headers put right.
"""

import bisect
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, Self

Piece = range | bytes  # bytes of the audio file from .start to before .stop; or others in their place


@dataclass(frozen=True)
class Part:
    """A file for a decoder, made of an audio file.

    Attributes:
        pieces: its bytes, in order.
        num_samples: a channel.
        sample_rate: Hz.
        skipped: samples a channel that decoding gives before those of the part.
    """

    pieces: tuple[Piece, ...]
    num_samples: int
    sample_rate: int
    skipped: int = 0

    def moved(self, begin: int) -> Self:
        """This part of the bytes from `begin` on as a part of the whole file."""
        pieces = (
            range(piece.start + begin, piece.stop + begin) if isinstance(piece, range) else piece
            for piece in self.pieces
        )
        return replace(self, pieces=tuple(pieces))


class PartFile(io.RawIOBase):
    """The bytes of a part as a file to read from; it has no name, by which a decoder might take it for something."""

    def __init__(self, file: BinaryIO, pieces: Sequence[Piece]) -> None:
        super().__init__()
        self._file, self._pieces = file, pieces
        self._bounds = [0, *itertools.accumulate(map(len, pieces))]
        self._position = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The byte that is read next."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, counted as those of any file are."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._bounds[-1]}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as there are bytes; the number of them."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and self._position < self._bounds[-1]:
            index = bisect.bisect_right(self._bounds, self._position) - 1
            begin, end = self._position - self._bounds[index], self._bounds[index + 1] - self._bounds[index]
            count = min(len(view) - done, end - begin)
            piece = self._pieces[index]
            if isinstance(piece, range):
                self._file.seek(piece.start + begin)
                found = self._file.read(count)
            else:
                found = piece[begin : begin + count]
            if not found:
                break  # the file became shorter while it was read
            view[done : done + len(found)] = found
            done += len(found)
            self._position += len(found)
        return done
