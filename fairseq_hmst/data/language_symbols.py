"""Language symbols: their places in sources, in what the decoder reads and in what it writes.

A data-bin of one language pair has none, unless it was made for a pretrained text model. Elsewhere the stored target is
`SYMBOL Y </s>`, whatever form the decoder wants; CTC and transducer learn Y alone.

    target form     decoder reads       decoder writes
    none            </s> Y              Y </s>
    first_output    </s> SYMBOL Y       SYMBOL Y </s>
    first_input     SYMBOL Y            Y </s>
"""

from dataclasses import dataclass, field

import torch
from fairseq.data import Dictionary
from torch import Tensor

from preprocess.files.cards.data_bin_card import DataBinCard
from preprocess.files.languages import SOURCE_FORMS, TARGET_FORMS


@dataclass(frozen=True)
class LanguageSymbolIds:
    """Language symbols of one data-bin, by token id, and their places; without any, methods leave tokens as they are.

    Attributes:
        eos_index: id of end of sentence in both dictionaries.
        source_form: whose symbol a source has, and where: that of the source language before or after the sentence, or
            that of the target language before it; None: no symbol.
        target_form: see the module's table; None: no symbol.
        source_ids: language -> id of its symbol in the joint input dictionary.
        target_ids: language -> id of its symbol in the output dictionary.
        output_ids: ids of the output dictionary that are no text, and never come out of a search: the symbols, also of
            languages that the data does not have, and what else a text model has (<mask>).
    """

    eos_index: int
    source_form: str | None = None
    target_form: str | None = None
    source_ids: dict[str, int] = field(default_factory=dict)
    target_ids: dict[str, int] = field(default_factory=dict)
    output_ids: frozenset[int] = frozenset()

    @classmethod
    def from_card(cls, card: DataBinCard, source: Dictionary, target: Dictionary) -> "LanguageSymbolIds":
        """Language symbols of a data-bin's card, in ids of its two dictionaries.

        Raises:
            ValueError: the card names a form that is not known, or a symbol that a dictionary lacks.
        """
        entry = card.language_symbols
        if entry is None:
            return cls(target.eos())
        for side, known in (("source", SOURCE_FORMS), ("target", TARGET_FORMS)):
            form = getattr(entry, side)
            if form not in known:
                raise ValueError(f"expected one of {', '.join(known)} as form of {side} symbols, found '{form}'")
        first_symbol = target.nspecial + card.dictionary.target_subwords
        return cls(
            target.eos(),
            entry.source,
            entry.target,
            {language: _index(source, symbol, "dict.src.txt") for language, symbol in entry.symbols.items()},
            {language: _index(target, symbol, "dict.tgt.txt") for language, symbol in entry.symbols.items()},
            frozenset(range(first_symbol, len(target))),
        )

    @property
    def named_in_source(self) -> str | None:
        """`source` or `target`, the side whose language a source names; None: neither."""
        return None if self.source_form is None else self.source_form.split("_")[0]

    @property
    def num_source_symbols(self) -> int:
        """Number of language symbols in each source."""
        return 0 if self.source_form is None else 1

    @property
    def source_edges(self) -> tuple[int, int]:
        """Numbers of tokens before and after X in each source: language symbol and eos."""
        if self.source_form is None:
            return 0, 1
        return (0, 2) if self.source_form == "source_last" else (1, 1)

    @property
    def num_source_edges(self) -> int:
        """Number of tokens of each source beside X."""
        return sum(self.source_edges)

    @property
    def num_target_symbols(self) -> int:
        """Number of language symbols before Y in each stored target."""
        return 0 if self.target_form is None else 1

    @property
    def num_start_tokens(self) -> int:
        """Tokens that the decoder reads before Y."""
        return 2 if self.target_form == "first_output" else 1

    @property
    def first_inputs(self) -> frozenset[int]:
        """Ids of the tokens that the decoder reads first, and nowhere else."""
        return frozenset(self.target_ids.values()) if self.target_form == "first_input" else frozenset([self.eos_index])

    def decoder_start(self, target_language: str | None) -> Tensor:
        """Tokens that the decoder reads before Y, (num_start_tokens,); without symbols the language is not read."""
        if self.target_form is None:
            return torch.tensor([self.eos_index])
        symbol = self.target_ids[str(target_language)]
        return torch.tensor([symbol] if self.target_form == "first_input" else [self.eos_index, symbol])

    def target_languages(self, decoder_inputs: Tensor) -> list[str]:
        """The target language of each row (B, U) of what the decoder reads; none where there are no symbols."""
        if self.target_form is None:
            return []
        languages = {index: language for language, index in self.target_ids.items()}
        return [languages[index] for index in decoder_inputs[:, self.num_start_tokens - 1].tolist()]

    def decoder_input(self, target: Tensor) -> Tensor:
        """Tokens that the decoder reads, of a stored target."""
        if self.target_form == "first_input":
            return target[:-1]
        return torch.cat([target.new_tensor([self.eos_index]), target[:-1]])

    def decoder_output(self, target: Tensor) -> Tensor:
        """Tokens that the decoder writes, of a stored target."""
        return target[1:] if self.target_form == "first_input" else target

    def labels(self, target: Tensor) -> Tensor:
        """Text tokens Y alone, of a stored target."""
        return target[:-1] if self.target_form is None else target[1:-1]

    def add_to_source(self, source: Tensor, source_language: str | None, target_language: str | None) -> Tensor:
        """`X </s>` with the symbol that the encoder wants; a language that it does not name is not read."""
        if self.source_form is None:
            return source
        language = source_language if self.named_in_source == "source" else target_language
        symbol = source.new_tensor([self.source_ids[str(language)]])
        return torch.cat([source, symbol] if self.source_form == "source_last" else [symbol, source])

    def without_symbol(self, source: Tensor) -> Tensor:
        """A stored source without its language symbol: `X </s>`."""
        if self.source_form is None:
            return source
        return source[:-1] if self.source_form == "source_last" else source[1:]

    def with_symbol_of(self, example: Tensor, source: Tensor) -> Tensor:
        """`X </s>` with the symbol that a stored source of the same languages, `example`, has."""
        if self.source_form is None:
            return source
        return torch.cat([source, example[-1:]] if self.source_form == "source_last" else [example[:1], source])


def _index(dictionary: Dictionary, symbol: str, name: str) -> int:
    if symbol not in dictionary:
        raise ValueError(f"the language symbol {symbol} is not in {name}")
    return dictionary.index(symbol)
