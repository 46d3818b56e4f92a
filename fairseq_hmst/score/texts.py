"""Reading what is scored: plain text, fairseq-generate's output, and the references of a data-bin."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from preprocess.errors import PreprocessError
from preprocess.files.cards.data_bin_card import DataBinCard

from .errors import ScoreError
from .generate_output import is_generate_output, read_generate_output


@dataclass(frozen=True)
class References:
    """The sentences that hypotheses are compared with; the lists are parallel.

    Attributes:
        path: the file, for errors.
        lines: one reference a sentence.
        languages: the target language of each; None where there is one, or nobody says.
        data: signature of the data-bin that they are from; None where nobody says.
        language: of all, where there is one; "": nobody says.
    """

    path: Path
    lines: list[str]
    languages: list[str] | None = None
    data: str | None = None
    language: str = ""

    @property
    def language_of_lines(self) -> list[str]:
        """The target language of each reference; "": nobody says."""
        return [self.language] * len(self.lines) if self.languages is None else self.languages

    @classmethod
    def read(cls, path: Path, languages: Path | None = None, data: str | None = None, language: str = "") -> Self:
        """Read references and, where there is one, the file of their languages; else `language` is that of all.

        Raises:
            ScoreError: a file cannot be read, or they have different numbers of lines.
        """
        lines = read_lines(path)
        if languages is None:
            return cls(path, lines, None, data, language)
        found = read_lines(languages)
        _check_parallel(languages, len(found), path, len(lines), "languages", "references")
        return cls(path, lines, found, data)

    @classmethod
    def of_data_bin(cls, folder: Path, split: str, stream: str) -> Self:
        """References of a split's stream in a data-bin.

        Raises:
            ScoreError: it is no data-bin, its references have changed, or it has none of this name; the message lists
                those that it has.
        """
        try:
            card = DataBinCard.read(folder)
            texts = [name for name in card.stream_files(split, stream) if name.endswith((".ref.txt", ".lang.txt"))]
            card.check_hashes(folder, texts)
        except PreprocessError as error:
            raise ScoreError.of(error) from error
        path = folder / f"{split}.{stream}.ref.txt"
        if path.name not in texts:
            found = sorted(name.removesuffix(".ref.txt") for name in card.hashes if name.endswith(".ref.txt"))
            raise ScoreError(
                f"no references of '{split}.{stream}'",
                place=folder,
                advice=f"it has: {', '.join(found) or 'none'}",
            )
        languages = path.with_name(f"{split}.{stream}.lang.txt")
        targets = card.languages.target
        language = targets[0] if len(targets) == 1 else ""
        return cls.read(path, languages if languages.name in texts else None, card.signature, language)


def read_lines(path: Path) -> list[str]:
    """Lines of a text file; a line feed alone ends a line, or a carriage return with it.

    Raises:
        ScoreError: the file is not there, is empty, or is not UTF-8.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ScoreError(f"cannot be read: {error.strerror}", place=path) from error
    except UnicodeDecodeError as error:
        raise ScoreError(f"not UTF-8: {error.reason} at byte {error.start}", place=path) from error
    if not text:
        raise ScoreError("empty", place=path)
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def read_hypotheses(path: Path, references: References) -> list[str]:
    """One hypothesis a reference, from plain text or from fairseq-generate's output (its `D-` lines).

    Of an n-best list the first is taken. Line n, or sentence number n - 1 of fairseq-generate, belongs to reference n.

    Raises:
        ScoreError: a sentence has no hypothesis, there are more hypotheses than references, or the output is not whole.
    """
    lines, num_references = read_lines(path), len(references.lines)
    if not is_generate_output(lines):
        _check_parallel(path, len(lines), references.path, num_references, "lines", "references")
        return lines
    by_number = read_generate_output(path, lines)
    wrong = sorted(by_number.keys() ^ set(range(num_references)))
    if wrong:
        raise ScoreError(
            f"{path} and {references.path} do not fit: {len(by_number)} hypotheses, {num_references} references; "
            f"first sentence without its counterpart: {wrong[0]}"
        )
    return [by_number[number] for number in range(num_references)]


def _check_parallel(path: Path, found: int, other: Path, expected: int, name: str, other_name: str) -> None:
    if found != expected:
        raise ScoreError(
            f"{path} and {other} do not fit: {found} {name}, {expected} {other_name}; "
            f"first line without its counterpart: {min(found, expected) + 1}"
        )
