"""A data-bin as `preprocess binarize` writes it: checked against its card, with dictionaries and subword models."""

import hashlib
import json
from pathlib import Path
from typing import Any

import sentencepiece
from fairseq.data import Dictionary
from torch import Tensor

SUPPORTED_STAGE = "binarize"


class DataBinError(Exception):
    """A data-bin is not whole, has been changed, or does not fit what it is used with."""


class DataBin:
    """One data-bin folder.

    Attributes:
        path: the folder.
        card: the content of its card.json.
        source_dictionary: unit subwords, then source-text subwords (fairseq's four special symbols before them).
        target_dictionary: target subwords.

    Raises:
        DataBinError: no card, a file that the card names is missing or has changed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.card = _read_card(self.path)
        _check_hashes(self.path, self.card["hashes"])
        self.source_dictionary = Dictionary.load(str(self.path / "dict.src.txt"))
        self.target_dictionary = Dictionary.load(str(self.path / "dict.tgt.txt"))

    @property
    def signature(self) -> str:
        """One line naming the data, to be printed beside every score."""
        return self.card["signature"]

    @property
    def _source_text_offset(self) -> int:
        """Id of the first source-text subword in the joint input dictionary."""
        return self.source_dictionary.nspecial + self.card["dictionary"]["unit_subwords"]

    @property
    def num_transcript_labels(self) -> int:
        """Labels of a CTC head on the transcript: blank, unknown, and the source-text subwords."""
        return len(self.source_dictionary) - self._source_text_offset + 2

    def transcript_labels(self, joint_ids: Tensor) -> Tensor:
        """CTC labels for ids of the joint input dictionary: 0 is the blank, 1 is all but source-text subwords."""
        return (joint_ids - self._source_text_offset + 2).clamp(min=1)

    @property
    def fingerprint(self) -> dict[str, str]:
        """Hashes of the two dictionaries: what a checkpoint must agree with."""
        return {name: self.card["hashes"][name] for name in ("dict.src.txt", "dict.tgt.txt")}

    def subword_model(self, name: str) -> sentencepiece.SentencePieceProcessor:
        """The SentencePiece model `unit`, `source` or `target`."""
        return sentencepiece.SentencePieceProcessor(model_file=str(self.path / "subwords" / f"{name}.model"))

    def stream_prefix(self, split: str, stream: str) -> Path:
        """Path of a stream's files without `.src.bin` and so on, such as DATA_BIN/train.st."""
        return self.path / f"{split}.{stream}"


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / "card.json"
    if not path.is_file():
        raise DataBinError(
            f"{folder} is not a complete data-bin: it has no card.json; make it by `python -m preprocess binarize`"
        )
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataBinError(f"{path}: not valid JSON ({error}); make the data-bin again") from error
    found = card.get("stage") if isinstance(card, dict) else type(card).__name__
    if found != SUPPORTED_STAGE:
        raise DataBinError(f"{path}: expected the card of a data-bin (stage '{SUPPORTED_STAGE}'), found '{found}'")
    return card


def _check_hashes(folder: Path, hashes: dict[str, str]) -> None:
    for name, expected in hashes.items():
        path = folder / name
        if not path.is_file():
            raise DataBinError(f"{path} is missing, though the data-bin's card names it; make the data-bin again")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise DataBinError(
                f"{path} has changed since the data-bin was made: its card says sha256 {expected[:12]}, "
                f"found {found[:12]}; make the data-bin again, or put the original file back"
            )
