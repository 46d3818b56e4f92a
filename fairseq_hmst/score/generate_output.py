"""Hypotheses in what fairseq-generate wrote, if it wrote all of it.

For each sentence there are lines S-, T-, and of each hypothesis H-, D- and P-; a line `Generate SPLIT with beam=...`
ends a run. Outputs of shards (--num-shards), each of them whole, may be joined to one file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import ScoreError

DECODE_AGAIN = "decode again"
START, END = "the start of a run", "the end of a run"
# What may stand above each kind of line: of the same sentence, and of any.
WITHIN_SENTENCE = {"T": "S", "H": "TP", "D": "H", "P": "D"}
BETWEEN_SENTENCES = {"S": (START, "P"), "T": (START, "P"), END: "P"}
_LINE = re.compile(r"([STHDP])-([0-9]{1,9})\t(.*)")
_HYPOTHESIS = re.compile(r"[^\t]*\t(.*)")  # behind its score
_END = re.compile(r"Generate \S+ with beam=\d+: .*")


@dataclass(frozen=True)
class _Entry:
    """A line of a sentence, or the end of a run.

    Attributes:
        number: of the line in the file, from 1.
        kind: S, T, H, D or P; START, END.
        sentence: its id; -1 for none.
        text: behind the id.
    """

    number: int
    kind: str
    sentence: int = -1
    text: str = ""

    def __str__(self) -> str:
        return self.kind if self.sentence < 0 else f"{self.kind}-{self.sentence}"

    def may_follow(self, former: "_Entry") -> bool:
        """Whether fairseq-generate writes this below `former`."""
        above = START if former.kind == END else former.kind
        is_within = above in WITHIN_SENTENCE.get(self.kind, "") and self.sentence == former.sentence
        return is_within or above in BETWEEN_SENTENCES.get(self.kind, ())


def is_generate_output(lines: Sequence[str]) -> bool:
    """Whether any line is one that fairseq-generate writes of a sentence."""
    return any(_LINE.fullmatch(line) for line in lines)


def read_generate_output(path: Path, lines: Sequence[str]) -> dict[int, str]:
    """The best hypothesis of each sentence, by its id.

    Args:
        path: of the file, for errors.
        lines: its lines.

    Raises:
        ScoreError: the output was cut, lines are missing or mixed, or a sentence was translated twice.
    """
    found: dict[int, _Entry] = {}
    former = _Entry(0, START)
    for entry in filter(None, (_read(line, number) for number, line in enumerate(lines, start=1))):
        if entry.kind in "ST" and entry.sentence in found:
            raise ScoreError(
                f"sentence {entry.sentence} is translated twice, in the lines {found[entry.sentence].number} and "
                f"{entry.number}: the outputs of two runs are in one file",
                place=path,
                advice="give each run a file of its own",
            )
        if not entry.may_follow(former):
            raise ScoreError(
                f"lines were cut, left out or mixed: {entry} stands below {former}",
                place=f"{path}:{entry.number}",
                advice=DECODE_AGAIN,
            )
        former = entry
        if entry.kind == "D":
            found.setdefault(entry.sentence, entry)
    if former.kind != END:
        raise ScoreError(
            f"it was cut, or is not finished: behind line {former.number} there is no line `Generate ...`, the last "
            "that fairseq-generate writes",
            place=path,
            advice=DECODE_AGAIN,
        )
    return {sentence: entry.text for sentence, entry in found.items()}


def _read(line: str, number: int) -> _Entry | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return _Entry(number, END) if _END.fullmatch(line) else None
    kind, sentence, text = match[1], int(match[2]), match[3]
    if kind == "D":
        hypothesis = _HYPOTHESIS.fullmatch(text)
        return _Entry(number, kind, sentence, hypothesis[1]) if hypothesis else None
    return _Entry(number, kind, sentence, text)
