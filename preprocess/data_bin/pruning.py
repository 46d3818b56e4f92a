"""Pieces of a pretrained text model that the data uses, and those that are kept."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ..files.cards.data_bin_card import KeptTextModel
from ..files.cards.stage_cards import TextModelEntry
from ..files.program.progress import count_progress
from ..files.splits import Split
from ..files.text import TextPair, normalise_text
from ..vocabulary.models import Subwords
from ..vocabulary.tokenizer_files import model_piece_ids
from .examples import chunks


@dataclass(frozen=True)
class Coverage:
    """Use of a text model's pieces by the data, and the pieces that are kept.

    Attributes:
        source, target: (pieces,) times that each piece occurs in source texts and in translations.
        is_text: (pieces,) True for what has an embedding and is neither <unk> nor a control symbol.
        is_kept: (pieces,) True for pieces that get a line in the dictionaries.
        kept: these pieces themselves.
    """

    source: np.ndarray
    target: np.ndarray
    is_text: np.ndarray
    is_kept: np.ndarray
    kept: Set[str]

    @property
    def ratio(self) -> float:
        """Share of the tokens that the kept pieces cover. Tokens unknown to the text model do not count."""
        tokens = (self.source + self.target)[self.is_text].sum()
        return float((self.source + self.target)[self.is_kept].sum() / tokens) if tokens else 1.0

    def as_entry(self, text_model: TextModelEntry) -> KeptTextModel:
        """Entry `text_model` of a data-bin's card."""
        return KeptTextModel(
            convention=text_model.convention,
            name=text_model.name,
            hash=text_model.hash,
            kept_pieces=int(self.is_kept.sum()),
            pieces=int(self.is_text.sum()),
            coverage=self.ratio,
            license=text_model.license,
        )

    def table(self) -> list[tuple[str, ...]]:
        """Rows of the table that `binarize` prints, header first."""
        rows: list[tuple[str, ...]] = [
            ("text", "pieces used", "kept", "of", "tokens", "covered", "<unk> in the text model")
        ]
        for name, counts in (("source", self.source), ("target", self.target), ("both", self.source + self.target)):
            used, tokens = np.count_nonzero(counts[self.is_text]), counts[self.is_text].sum()
            kept = self.is_kept.sum(), self.is_text.sum()
            covered, unknown = counts[self.is_kept].sum(), counts[~self.is_text].sum()
            rows.append((name, *map(str, (used, *kept, tokens, covered, unknown))))
        return rows


def count_pieces(subwords: Subwords, splits: Sequence[Split], external: Iterable[TextPair], keep_all: bool) -> Coverage:
    """Cut all texts of a data-bin into pieces, and keep those that occur, or all."""
    models = {"source": subwords.source, "target": subwords.target}
    # the two are one model, or two that have pieces in common
    pieces = {side: [model.id_to_piece(i) for i in range(model.get_piece_size())] for side, model in models.items()}
    index = {piece: number for number, piece in enumerate(dict.fromkeys([*pieces["source"], *pieces["target"]]))}
    places = {side: np.array([index[piece] for piece in pieces[side]]) for side in models}
    counts = {side: np.zeros(len(index), dtype=np.int64) for side in models}
    rows = (row for split in splits for row in split.utterances)
    own = ((normalise_text(row.src_text), normalise_text(row.tgt_text)) for row in rows)
    others = ((pair.source, pair.target) for pair in external)
    for texts in chunks(count_progress(chain(own, others), "count pieces", " sentences")):
        for side, column in zip(models, zip(*texts, strict=True), strict=True):
            for piece_ids in models[side].encode(list(column)):
                np.add.at(counts[side], places[side][piece_ids], 1)
    is_text = np.zeros(len(index), dtype=bool)
    for side, model in models.items():
        is_text[places[side][model_piece_ids(model)]] = True
    is_text[[index[piece] for piece in subwords.unknown_pieces]] = False
    is_used = (counts["source"] + counts["target"]) > 0
    is_kept = is_text if keep_all else is_text & is_used
    kept = {piece for piece, number in index.items() if is_kept[number]}
    return Coverage(counts["source"], counts["target"], is_text, is_kept, kept)
