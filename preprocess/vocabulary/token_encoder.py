"""Units and sentences -> ids of the two dictionaries, with </s> and language symbols."""

from collections.abc import Iterable, Sequence, Set
from typing import TYPE_CHECKING

import numpy as np

from ..errors import VocabularyError
from ..files.escapes import has_reserved
from ..files.languages import LanguageSymbols
from ..files.tokens.repetition import repeat_tokens
from ..files.units import units_to_text
from .dictionary import EOS_INDEX, SPECIAL_SYMBOLS, UNK_INDEX, Dictionaries
from .models import Subwords

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

LanguagePair = tuple[str, str]  # source, target, as the manifests write them


class TokenEncoder:
    """Encoder of units and sentences to dictionary ids, int64 arrays as streams store them.

    Every sequence has </s>; source and target have a language symbol too where the data-bin has such symbols, and
    then need the (source, target) languages of each example.
    """

    def __init__(
        self, subwords: Subwords, dictionaries: Dictionaries, symbols: LanguageSymbols | None, repeat: int
    ) -> None:
        self.source_size = len(SPECIAL_SYMBOLS) + len(dictionaries.source)
        self.target_size = len(SPECIAL_SYMBOLS) + len(dictionaries.target)
        self._source_ids = {symbol: id for id, symbol in enumerate(dictionaries.source, len(SPECIAL_SYMBOLS))}
        self._target_ids = {symbol: id for id, symbol in enumerate(dictionaries.target, len(SPECIAL_SYMBOLS))}
        self._units = _PieceLookup(subwords.units, self._source_ids)
        self._source = _PieceLookup(subwords.source, self._source_ids, subwords.unknown_pieces)
        self._target = _PieceLookup(subwords.target, self._target_ids, subwords.unknown_pieces)
        self._as_trained = subwords.as_trained
        self._escapes = subwords.card.escapes
        self._symbols = symbols
        self._repeat = repeat
        self.num_symbols = 0 if symbols is None else 1  # in each source and in each target

    def speech(self, units: Sequence[Iterable[int]], languages: Sequence[LanguagePair]) -> list[np.ndarray]:
        """Deduplicated units to ids of unit pieces."""
        return self._as_sources(self._units.encode([units_to_text(row) for row in units]), languages)

    def transcript(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Source text to ids of source pieces, each once and without language symbol; "" becomes </s> alone."""
        return [np.append(ids, EOS_INDEX) for ids in self._encode(self._source, texts)]

    def repeated_text(self, texts: Sequence[str], languages: Sequence[LanguagePair]) -> list[np.ndarray]:
        """Source text to ids of source pieces, each `repeat` times; what is not text stands once."""
        return self._as_sources(
            [repeat_tokens(ids, self._repeat) for ids in self._encode(self._source, texts)], languages
        )

    def target(self, texts: Sequence[str], languages: Sequence[LanguagePair]) -> list[np.ndarray]:
        """Target text to ids of the output dictionary; the language symbol comes first."""
        encoded = self._encode(self._target, texts)
        if self._symbols is None:
            return [np.append(ids, EOS_INDEX) for ids in encoded]
        symbol_ids = [self._target_ids[self._symbols.symbols[target]] for _, target in languages]
        return [np.array([symbol, *ids, EOS_INDEX]) for symbol, ids in zip(symbol_ids, encoded, strict=True)]

    def _encode(self, model: "_PieceLookup", texts: Sequence[str]) -> list[np.ndarray]:
        return model.encode([*map(self._as_trained, texts)])

    def alters(self, *texts: str) -> bool:
        """Whether the pieces have no place for some character of these texts."""
        return not self._escapes and any(map(has_reserved, texts))

    def _as_sources(self, encoded: list[np.ndarray], languages: Sequence[LanguagePair]) -> list[np.ndarray]:
        if self._symbols is None:
            return [np.append(ids, EOS_INDEX) for ids in encoded]
        symbol_ids = [self._source_ids[self._symbols.of_source(*pair)] for pair in languages]
        if self._symbols.convention.source == "source_last":
            return [np.append(ids, [EOS_INDEX, symbol]) for symbol, ids in zip(symbol_ids, encoded, strict=True)]
        return [np.array([symbol, *ids, EOS_INDEX]) for symbol, ids in zip(symbol_ids, encoded, strict=True)]


class _PieceLookup:
    """A SentencePiece model whose pieces are given as ids of a dictionary."""

    def __init__(self, model: "SentencePieceProcessor", ids: dict[str, int], unknown: Set[str] = frozenset()) -> None:
        self._model = model
        pieces = [model.id_to_piece(index) for index in range(model.get_piece_size())]
        self._ids = np.array([ids.get(piece, UNK_INDEX) for piece in pieces], dtype=np.int64)
        self._is_unknown = np.array([model.is_unknown(i) or piece in unknown for i, piece in enumerate(pieces)])

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Dictionary ids of each text, without </s>.

        Raises:
            VocabularyError: the model has a piece that the dictionary lacks; <unk> stands only for its own <unk>,
                and for pieces that are unknown to a text model.
        """
        encoded = []
        for text, row in zip(texts, self._model.encode(list(texts)), strict=True):
            piece_ids = np.array(row, dtype=np.int64)
            ids = self._ids[piece_ids]
            lost = piece_ids[(ids == UNK_INDEX) & ~self._is_unknown[piece_ids]]
            if len(lost):
                raise VocabularyError(
                    f"the piece {self._model.id_to_piece(int(lost[0]))!r} of {text!r} is not in the dictionary, "
                    "which was made of the pieces in the data: the data changed while it was read",
                    advice="run again",
                )
            encoded.append(ids)
        return encoded
