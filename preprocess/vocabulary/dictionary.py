"""The joint input dictionary and the output dictionary: their lines, in which order, and their files.

Ids are fairseq's: 0 <s>, 1 <pad>, 2 </s>, 3 <unk>, and then the lines of the file. Encoding is `token_encoder`.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from ..errors import VocabularyError
from ..files.cards.data_bin_card import DictionaryEntry
from ..files.languages import CONVENTIONS, LanguageSymbols
from .models import Subwords
from .tokenizer_files import model_pieces

MASK_SYMBOL = "<mask>"
SPECIAL_SYMBOLS = ("<s>", "<pad>", "</s>", "<unk>")
EOS_INDEX = 2
UNK_INDEX = 3


@dataclass(frozen=True)
class Dictionaries:
    """Lines of the two dictionaries, and the places of each kind of piece."""

    source: list[str]
    target: list[str]
    num_unit_pieces: int
    num_source_pieces: int
    num_target_pieces: int
    first_unit_piece: int  # line from 0
    first_source_piece: int

    def write(self, folder: Path) -> None:
        """Write dict.src.txt and dict.tgt.txt."""
        write_dictionary(folder / "dict.src.txt", self.source)
        write_dictionary(folder / "dict.tgt.txt", self.target)

    def as_entry(self) -> DictionaryEntry:
        """Entry `dictionary` of a data-bin's card."""
        return DictionaryEntry(
            unit_subwords=self.num_unit_pieces,
            source_subwords=self.num_source_pieces,
            target_subwords=self.num_target_pieces,
            first_unit_subword=len(SPECIAL_SYMBOLS) + self.first_unit_piece,
            first_source_subword=len(SPECIAL_SYMBOLS) + self.first_source_piece,
        )


def make_dictionaries(
    subwords: Subwords, symbols: LanguageSymbols | None = None, kept: Set[str] | None = None
) -> Dictionaries:
    """Lay out the dictionaries.

    Without a text model: unit pieces, source-text pieces; target-text pieces; the language symbols last in both.
    With one: its pieces in their order, all its language symbols, <mask> where it has that; the input dictionary has
    the unit pieces after the same lines, so that text embeddings can be one table.

    Args:
        subwords: the three models.
        symbols: of the languages in the data.
        kept: the pieces of the text model that are kept; None: all.

    Raises:
        VocabularyError: a piece stands in two places, so that one id would mean two things.
    """
    units = model_pieces(subwords.units)
    if subwords.text_model is None:
        sources, targets = model_pieces(subwords.source), model_pieces(subwords.target)
        extra = sorted(symbols.symbols.values()) if symbols else []
        _check_distinct(units, sources, extra)
        _check_distinct([], targets, extra)
        counts = len(units), len(sources), len(targets)
        return Dictionaries([*units, *sources, *extra], [*targets, *extra], *counts, 0, len(units))
    pieces = [piece for piece in subwords.text_pieces() if kept is None or piece in kept]
    has_mask = CONVENTIONS[subwords.text_model.convention].has_mask
    extra = [*subwords.text_model.symbols, *([MASK_SYMBOL] if has_mask else [])]
    _check_distinct(units, pieces, extra)
    text = [*pieces, *extra]
    return Dictionaries([*text, *units], text, len(units), len(pieces), len(pieces), len(text), 0)


def write_dictionary(path: Path, symbols: Iterable[str]) -> None:
    """Write symbols in the form that fairseq's Dictionary.load reads, `symbol count` a line.

    The count is always 1: the same subwords give the same file, whatever data is binarized with them.
    """
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for symbol in symbols:
            # A text about HTML may teach SentencePiece a piece such as <s>; the flag keeps fairseq from refusing it.
            flag = " #fairseq:overwrite" if symbol in SPECIAL_SYMBOLS else ""
            file.write(f"{symbol} 1{flag}\n")


def _check_distinct(units: Sequence[str], pieces: Sequence[str], symbols: Sequence[str]) -> None:
    both = sorted(set(units) & set(pieces))
    if both:
        raise VocabularyError(
            f"{len(both)} pieces stand in the unit model and in the source-text model, such as {both[0]!r}: the "
            "source text holds private-use characters that stand for units",
            advice="remove them from the text",
        )
    both = sorted(set(pieces) & set(symbols))
    if both:
        raise VocabularyError(
            f"{len(both)} pieces of the text models are language symbols too, such as {both[0]!r}",
            advice="remove them from the text",
        )
