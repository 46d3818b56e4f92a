"""The three SentencePiece models of a data-bin, as the stage `subwords` writes them."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.cards.stage_cards import MODEL_NAMES, SubwordsCard, TextModelEntry
from ..files.escapes import escape_text, unescape_text
from ..files.reading.sentencepiece_model import read_sentencepiece
from ..files.text import normalise_text
from ..files.units import units_to_text
from .tokenizer_files import model_pieces

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor


@dataclass(frozen=True)
class Subwords:
    """The three SentencePiece models of a finished subwords folder; id 0 of each is <unk>.

    With a text model `text_model` is its entry in the card, and `source` and `target` are usually the same model.
    """

    units: "SentencePieceProcessor"
    source: "SentencePieceProcessor"
    target: "SentencePieceProcessor"
    card: SubwordsCard

    @classmethod
    def load(cls, folder: Path) -> "Subwords":
        """Load DIR of `subwords --out DIR`, or DATA_BIN/subwords.

        Raises:
            PreprocessError: the folder is not a whole output of this stage.
            MismatchError: a model has changed since.
            VocabularyError: a model cannot be read.
        """
        card = SubwordsCard.read(folder)
        card.check_hashes(folder)
        units, source, target = (read_sentencepiece(Path(folder) / name) for name in MODEL_NAMES)
        return cls(units, source, target, card)

    @property
    def text_model(self) -> TextModelEntry | None:
        """Pretrained text model whose pieces are taken; None: text pieces were trained."""
        return self.card.text_model

    def text_pieces(self) -> list[str]:
        """Pieces of text that a text model has embeddings of, each once.

        Those of source text come first.
        """
        pieces = dict.fromkeys([*model_pieces(self.source), *model_pieces(self.target)])
        return [piece for piece in pieces if piece not in self.unknown_pieces]

    @functools.cached_property
    def unknown_pieces(self) -> frozenset[str]:
        """Pieces of text that a text model has no embeddings of."""
        return frozenset() if self.text_model is None else frozenset(self.text_model.unknown_pieces)

    def encode_units(self, units: Iterable[int]) -> list[str]:
        """Deduplicated units to pieces of one or more unit characters."""
        return self.units.encode(units_to_text(units), out_type=str)

    def encode_source(self, text: str) -> list[str]:
        """Source text to pieces, not repeated."""
        return self.source.encode(self.as_trained(normalise_text(text)), out_type=str)

    def encode_target(self, text: str) -> list[str]:
        """Target text to pieces."""
        return self.target.encode(self.as_trained(normalise_text(text)), out_type=str)

    def decode_target(self, pieces: Sequence[str]) -> str:
        """Inverse of `encode_target`, for text whose characters the model knows."""
        return self._as_read(self.target.decode(list(pieces)))

    def decode_source(self, pieces: Sequence[str]) -> str:
        """Inverse of `encode_source`, for text whose characters the model knows."""
        return self._as_read(self.source.decode(list(pieces)))

    def as_trained(self, text: str) -> str:
        """Normalised text in the form that the models of text were trained on."""
        return escape_text(text) if self.card.escapes else text

    def _as_read(self, text: str) -> str:
        return unescape_text(text) if self.card.escapes else text
