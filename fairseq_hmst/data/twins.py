"""Text as the text stream has it, repeated, and as transcripts have it, each token once: the way there and back.

The way there gives speech examples their text twins, placed in one batch with the speech.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor

from preprocess.files.tokens.repetition import repeat_tokens, tokens_once

from .batch import StreamExample, TokenRows
from .flat_rows import FlatRows
from .language_symbols import LanguageSymbolIds


class RepeatedText:
    """Sources of text: each token repeated, with the language symbol of another source of the same example.

    Args:
        sources: of the same examples, which give the language symbols.
        texts: tokens once, with eos.
        repeat: times that the data-bin's text stream has each token.
        language_symbols: of the data-bin.
        counts: repetitions of each token of each row, without eos; None: `repeat`.

    Attributes:
        sizes: (N,) int32 tokens of each source.
    """

    def __init__(
        self,
        sources: TokenRows[Tensor],
        texts: TokenRows[Tensor],
        repeat: int,
        language_symbols: LanguageSymbolIds,
        counts: FlatRows | None = None,
    ) -> None:
        self.sources, self.texts, self.repeat = sources, texts, repeat
        self.language_symbols, self.counts = language_symbols, counts
        repeated = repeat * (np.asarray(texts.sizes) - 1) if counts is None else counts.sums
        self.sizes = (repeated + language_symbols.num_source_edges).astype(np.int32)

    def of_texts(self, texts: TokenRows[Tensor], counts: FlatRows | None = None) -> Self:
        """The same of other texts, or with other repetitions."""
        return type(self)(self.sources, texts, self.repeat, self.language_symbols, counts)

    def __len__(self) -> int:
        return len(self.texts)

    def counts_of(self, row: int) -> np.ndarray:
        """Repetitions of each token of a row's text, (S,)."""
        if self.counts is None:
            num_repeated = int(self.sizes[row]) - self.language_symbols.num_source_edges
            return np.full(num_repeated // self.repeat, self.repeat)
        return self.counts.array(row)

    def __getitem__(self, row: int) -> Tensor:
        text = self.texts[row]
        repeated = torch.from_numpy(repeat_tokens(text[:-1].numpy(), self.counts_of(row)))
        return self.language_symbols.with_symbol_of(self.sources[row], torch.cat([repeated, text[-1:]]))


class TextTwins:
    """Sources of the twins of a stream's examples; their targets and transcripts are those of the examples.

    Args:
        repeated: transcripts of speech examples, repeated; eos alone where none is known, and then there is no twin.

    Attributes:
        sizes: (N,) int32 tokens of each twin's source, 0 where there is none.
    """

    def __init__(self, repeated: RepeatedText) -> None:
        self.repeated = repeated
        self.sizes = np.where(np.asarray(repeated.texts.sizes) > 1, repeated.sizes, 0).astype(np.int32)

    def of_texts(self, texts: TokenRows[Tensor]) -> "TextTwins":
        """Twins of other transcripts of the same examples."""
        return TextTwins(self.repeated.of_texts(texts))

    def __len__(self) -> int:
        return len(self.repeated)

    def __getitem__(self, row: int) -> Tensor | None:
        return None if self.sizes[row] == 0 else self.repeated[row]


class TextTranscripts:
    """Transcripts of a text stream's examples: their sources with each token once and without symbol."""

    def __init__(self, sources: TokenRows[Tensor], repeat: int, language_symbols: LanguageSymbolIds) -> None:
        self.sources = sources
        self.repeat = repeat
        self.language_symbols = language_symbols

    @property
    def sizes(self) -> np.ndarray:
        """Number of tokens of each transcript, eos included."""
        num_repeated = np.asarray(self.sources.sizes) - self.language_symbols.num_source_edges
        return num_repeated // self.repeat + 1

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, row: int) -> Tensor:
        source = self.language_symbols.without_symbol(self.sources[row])
        return torch.cat([torch.from_numpy(tokens_once(source[:-1].numpy(), self.repeat)), source[-1:]])


def sort_with_twins(samples: Sequence[StreamExample], text_stream: int) -> tuple[list[StreamExample], Tensor]:
    """Examples and twins by falling source length.

    Args:
        samples: examples, each with its twin's source, or None, in `twin`.
        text_stream: number of the stream that twins belong to.

    Returns:
        B examples, the twins among them; (B,) int64 the place of each one's twin, -1 where it has none.
    """
    rows: list[StreamExample] = []
    twin_of: dict[int, int] = {}
    for sample in samples:
        rows.append(sample)
        if sample["twin"] is not None:
            twin_of[len(rows) - 1] = len(rows)
            twin: StreamExample = {**sample, "stream": text_stream, "source": sample["twin"], "twin": None}
            rows.append({**twin, "second": sample["twin_second"]})
    order = sorted(range(len(rows)), key=lambda row: -len(rows[row]["source"]))
    places = {row: place for place, row in enumerate(order)}
    twins = [places[twin_of[row]] if row in twin_of else -1 for row in order]
    return [rows[row] for row in order], torch.tensor(twins)
