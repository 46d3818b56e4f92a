"""Origins of the examples of a stream, in a table beside it: SPLIT.STREAM.origin.tsv, one line an example.

A training reads it for the speakers alone; else it is there so that a report can name examples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import MismatchError
from .reading.escaping import escape_field, unescape_field

ORIGIN_COLUMNS = ("id", "seconds", "speaker", "src_lang", "tgt_lang")


@dataclass(frozen=True, slots=True)
class Origin:
    """Origin of one example.

    Attributes:
        id: of the utterance, or FILE:LINE of external text.
        source_language, target_language: as the manifests write them.
        seconds: of speech; None: not known, or text.
        speaker: "": not known, or text.
    """

    id: str
    source_language: str
    target_language: str
    seconds: float | None = None
    speaker: str = ""

    def as_line(self) -> str:
        """Line of the table, its end included."""
        seconds = "" if self.seconds is None else f"{self.seconds:.10g}"
        fields = (self.id, seconds, self.speaker, self.source_language, self.target_language)
        return "\t".join(map(escape_field, fields)) + "\n"


def read_origins(path: Path) -> Iterator[Origin]:
    """Yield the origins of a table, in the order of the examples; one is in memory at a time.

    Raises:
        MismatchError: the file is not such a table.
    """
    with open(path, "rb") as file:
        for line_number, line in enumerate(file, start=1):
            try:
                fields = [unescape_field(field) for field in line.decode().removesuffix("\n").split("\t")]
                if line_number > 1:
                    identifier, seconds, speaker, *languages = fields
                    source, target = languages
                    yield Origin(identifier, source, target, float(seconds) if seconds else None, speaker)
                elif fields != list(ORIGIN_COLUMNS):
                    raise ValueError(f"expected the columns {', '.join(ORIGIN_COLUMNS)}")
            except ValueError as error:
                raise MismatchError(
                    f"has changed since it was made: {error}",
                    place=f"{path}:{line_number}",
                    advice="make the data-bin again",
                ) from error
