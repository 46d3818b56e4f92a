"""Lines that fairseq-interactive reads: as training read its text, and each fault of a line is its own.

fairseq decodes its input itself, where one byte that is not UTF-8 ends the run. Its way of reading is replaced when
this is imported.
"""

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fairseq.data import Dictionary
from torch import Tensor

from preprocess.errors import ManifestError, UserError
from preprocess.files.program.fairseq_import import process_unchanged
from preprocess.files.reading.lines import Line, lines_of, read_lines

from ..data.data_bin import DataBinError

with process_unchanged():
    import fairseq_cli.interactive


class LineBatch(list[str]):
    """Lines that are translated together.

    Attributes:
        places: `FILE:LINE` of each.
        faults: of all lines of the input that could not be translated; what is added here is known at its end.
    """

    def __init__(self, lines: Sequence[Line], faults: list[UserError]) -> None:
        super().__init__(line.raw_text for line in lines)
        self.places = [line.location for line in lines]
        self.faults = faults


def read_batches(input: str, buffer_size: int) -> Iterator[LineBatch]:
    """Yield the lines of a file, or of standard input (`-`), in place of fairseq's `buffered_read`.

    Raises:
        SystemExit: at the end, if some line had a fault; or the file cannot be read.
    """
    faults: list[UserError] = []
    lines = lines_of(sys.stdin.buffer, "standard input") if input == "-" else read_lines(Path(input))
    try:
        while batch := list(itertools.islice(lines, buffer_size)):
            yield LineBatch(batch, faults)
    except ManifestError as error:
        raise SystemExit(f"error: {error}") from error
    if faults:
        raise SystemExit(f"error: {len(faults)} of the lines could not be translated")


def encode_lines(
    lines: Sequence[str], encode: Callable[[str], str], dictionary: Dictionary, max_tokens: float
) -> tuple[list[Tensor], list[int]]:
    """Ids (T,) of each line, </s> included, and their lengths; a line with a fault, told on stderr, is an empty one.

    Args:
        lines: those of a LineBatch have places; of others the first fault is raised.
        encode: from a line to its subwords, separated by spaces.
        dictionary: of the subwords.
        max_tokens: longest line that the model takes.

    Raises:
        UserError: a line cannot be translated.
    """
    found = []
    for number, line in enumerate(lines):
        try:
            ids = dictionary.encode_line(encode(line), add_if_not_exist=False).long()
            if len(ids) > max_tokens:
                raise DataBinError(
                    f"too long: {len(ids)} subwords, the model takes {max_tokens}", advice="cut it into parts"
                )
        except UserError as error:
            if not isinstance(lines, LineBatch):
                raise
            print(f"error: {error.at(lines.places[number])}", file=sys.stderr, flush=True)
            lines.faults.append(error)
            ids = dictionary.encode_line("", add_if_not_exist=False).long()
        found.append(ids)
    return found, [len(ids) for ids in found]


for _name in ("fairseq_cli.interactive", "__main__"):  # the second where Python was given -m fairseq_cli.interactive
    _module = sys.modules[_name]
    if getattr(getattr(_module, "__spec__", None), "name", None) == fairseq_cli.interactive.__name__:
        _module.buffered_read = read_batches  # type: ignore[attr-defined]
