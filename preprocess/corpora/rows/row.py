"""Rows as the files of a corpus hold them, before anything is checked."""

from dataclasses import dataclass

from ...files.manifest import Utterance


@dataclass(frozen=True)
class Row(Utterance):
    """An utterance and its place."""

    location: str  # FILE:LINE
    unusable: str = ""  # why the corpus has no use for it in any split, such as `no translation`


def location_of_row(utterance: Utterance, split: str, index: int) -> str:
    """`FILE:LINE` of a Row; of other utterances what is known, `SPLIT, row NUMBER`."""
    return utterance.location if isinstance(utterance, Row) else f"{split}, row {index + 1}"
