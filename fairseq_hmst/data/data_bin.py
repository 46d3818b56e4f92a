"""A data-bin as `preprocess binarize` writes it: checked against its card, with dictionaries and subword models."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import sentencepiece
from torch import Tensor

from preprocess.errors import PreprocessError, UserError
from preprocess.files.cards.card import CARD_NAME
from preprocess.files.cards.data_bin_card import DICTIONARY_NAMES, DataBinCard
from preprocess.files.cards.named_files import HashFinder
from preprocess.files.hashing import hash_all
from preprocess.files.reading.sentencepiece_model import read_sentencepiece

from .labels import BLANK_SYMBOL, FIRST_PIECE_LABEL, OTHER_LABEL, OTHER_SYMBOL
from .language_symbols import LanguageSymbolIds
from .text_pieces import SourceDictionary, TargetDictionary, TextPieces

# dictionaries, SentencePiece models, k-means
DEFINES_IDS = re.compile(r"dict\.(src|tgt)\.txt|subwords/\w+\.model|kmeans/centroids\.npz")


class DataBinError(UserError):
    """A data-bin is not whole, was changed, or does not fit its use."""


class DataBin:
    """One data-bin folder.

    Attributes:
        path: the folder.
        card: its card.
        source_dictionary: the joint input dictionary: unit subwords, source-text subwords, and the language symbols
            where there are any; the card says where the pieces of each kind begin (fairseq's four special symbols come
            first).
        target_dictionary: target subwords, then the language symbols.
        language_symbols: ids and places of the language symbols.

    Raises:
        DataBinError: no card, a file that the card names is missing or has another size, dictionaries, models or
            centroids have changed, or another version wrote it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._compared: set[str] = set()
        try:
            self.card = DataBinCard.read(self.path)
        except PreprocessError as error:
            raise DataBinError.of(error) from error
        self.compare(self.card.vocabulary_files)
        self.source_dictionary = SourceDictionary.load(str(self.path / "dict.src.txt"))
        self.target_dictionary = TargetDictionary.load(str(self.path / "dict.tgt.txt"))
        self._source_pieces, self._target_pieces = (
            TextPieces(self.subword_model(side), self.card.escapes) for side in ("source", "target")
        )
        self.target_dictionary.join = self.join_target
        try:
            self.language_symbols = LanguageSymbolIds.from_card(
                self.card, self.source_dictionary, self.target_dictionary
            )
        except ValueError as error:
            raise DataBinError(str(error), place=self.path / CARD_NAME, advice="make the data-bin again") from error

    def compare(self, names: Iterable[str], find_hashes: HashFinder = hash_all) -> None:
        """Compare files with the card before they are read; those that were compared before are not read again.

        Args:
            names: of files that the card names.
            find_hashes: in place of reading all of them.

        Raises:
            DataBinError: one has changed.
        """
        new = [name for name in names if name not in self._compared]
        try:
            self.card.check_hashes(self.path, new, find_hashes)
        except PreprocessError as error:
            raise DataBinError.of(error) from error
        self._compared.update(new)

    @property
    def signature(self) -> str:
        """One line naming the data, to be printed beside every score."""
        return self.card.signature

    @property
    def source_languages(self) -> list[str]:
        """Languages of the sources, sorted."""
        return list(self.card.languages.source)

    @property
    def target_languages(self) -> list[str]:
        """Languages of the targets, sorted."""
        return list(self.card.languages.target)

    def languages_of(self, decoder_inputs: Tensor) -> list[str]:
        """The target language of each row (B, U) of what the decoder reads."""
        return self.language_symbols.target_languages(decoder_inputs) or self.target_languages * len(decoder_inputs)

    @property
    def num_transcript_labels(self) -> int:
        """Labels of a CTC head on the transcript: blank, unknown, and the source-text subwords."""
        return self.card.dictionary.source_subwords + FIRST_PIECE_LABEL

    @property
    def symbols(self) -> dict[str, list[str]]:
        """Symbols by id: of the dictionaries `source` and `target`, and of the labels of a `transcript`."""
        source, dictionary = self.source_dictionary.symbols, self.card.dictionary
        first = dictionary.first_source_subword
        pieces = source[first : first + dictionary.source_subwords]
        transcript = [BLANK_SYMBOL, OTHER_SYMBOL, *pieces]
        return {"source": list(source), "target": list(self.target_dictionary.symbols), "transcript": transcript}

    def transcript_labels(self, joint_ids: Tensor) -> Tensor:
        """CTC labels for ids of the joint input dictionary; all but source-text subwords have one label."""
        labels = joint_ids - self.card.dictionary.first_source_subword + FIRST_PIECE_LABEL
        is_piece = (labels >= FIRST_PIECE_LABEL) & (labels < self.num_transcript_labels)
        return labels.masked_fill(~is_piece, OTHER_LABEL)

    def transcript_ids(self, labels: Tensor) -> Tensor:
        """Ids in the joint input dictionary of the source-text subwords among CTC labels (N,); others are left out."""
        pieces = labels[labels >= FIRST_PIECE_LABEL]
        return pieces - FIRST_PIECE_LABEL + self.card.dictionary.first_source_subword

    @property
    def fingerprint(self) -> dict[str, str]:
        """Hashes of the files that say what ids and units mean: what a checkpoint must agree with."""
        return {name: entry.sha256 for name, entry in self.card.hashes.items() if DEFINES_IDS.fullmatch(name)}

    def check_fingerprint(self, expected_files: Mapping[str, str], relation: str, advice: str) -> None:
        """Refuse what belongs to other files than these; the folder's name and place do not matter.

        Args:
            expected_files: the fingerprint then; a file that only one of the two has is not compared.
            relation: what was done with those, such as `was made for`.
            advice: what to do.

        Raises:
            DataBinError: a file differs.
        """
        for name, expected in expected_files.items():
            found = self.fingerprint.get(name, expected)
            if found != expected:
                raise DataBinError(
                    f"{relation} another data-bin: one with a {name} of sha256 {expected[:12]}, but "
                    f"{self.path / name} has {found[:12]}",
                    advice=advice,
                )

    def check_same_vocabulary(self, other: "DataBin") -> None:
        """Raise a DataBinError unless the same tokens mean the same units, pieces and languages in both."""
        for name in DICTIONARY_NAMES:
            if self.fingerprint[name] != other.fingerprint[name]:
                raise DataBinError(
                    f"{self.path / name} differs from {other.path / name}; data-bins that are trained on together need "
                    "one vocabulary: binarize them with one k-means and subwords, text models with --keep-all-pieces"
                )
        centroids = [data_bin.card.kmeans.hashes for data_bin in (self, other) if data_bin.card.kmeans]
        if len(centroids) == 2 and centroids[0] != centroids[1]:
            raise DataBinError(f"{self.path} and {other.path} hold units of different k-means; make both with one")
        if self.card.language_symbols != other.card.language_symbols:
            raise DataBinError(f"{self.path} and {other.path} differ in their languages; binarize both with the same")

    def subword_model(self, name: str) -> sentencepiece.SentencePieceProcessor:
        """The SentencePiece model `unit`, `source` or `target`.

        Raises:
            DataBinError: it cannot be read.
        """
        try:
            return read_sentencepiece(self.path / "subwords" / f"{name}.model")
        except PreprocessError as error:
            raise DataBinError.of(error) from error

    def join_target(self, pieces: Sequence[str]) -> str:
        """Text of target pieces."""
        return self._target_pieces.join(pieces)

    def join_source(self, pieces: Sequence[str]) -> str:
        """Text of source-text pieces, each of them once."""
        return self._source_pieces.join(pieces)

    def has_stream(self, split: str, stream: str) -> bool:
        """Whether a split has this stream."""
        return stream in self.card.counts.get(split, {})

    def token_files(self, split: str, stream: str) -> list[str]:
        """Names of the files of a stream that training and decoding read; [] where there is no such stream."""
        return [name for name in self.card.stream_files(split, stream) if name.endswith((".bin", ".idx"))]

    def stream_prefix(self, split: str, stream: str) -> Path:
        """Path of a stream's files without `.src.bin` and so on, such as DATA_BIN/train.st."""
        return self.path / f"{split}.{stream}"
