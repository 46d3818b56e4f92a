"""Text as the text stream has it, repeated, and as transcripts have it, each token once: the way there and back.

The way there gives speech examples their text twins, placed in one batch with the speech.
"""

import numpy as np
import torch
from torch import Tensor

from preprocess.files.repetition import repeat_tokens, tokens_once

from .batch import StreamExample, TokenRows
from .language_symbols import LanguageSymbolIds


class TextTwins:
    """Sources of the twins of a stream's examples; their targets and transcripts are those of the examples.

    Args:
        sources: of the speech examples, from which a twin takes its language symbol.
        transcripts: of the same examples; eos alone where none is known, and then there is no twin.
        repeat: times that the data-bin's text stream has each token.
        language_symbols: of the data-bin.

    Attributes:
        sizes: (N,) int32 tokens of each twin's source, 0 where there is none.
    """

    def __init__(
        self,
        sources: TokenRows[Tensor],
        transcripts: TokenRows[Tensor],
        repeat: int,
        language_symbols: LanguageSymbolIds,
    ) -> None:
        self.sources = sources
        self.transcripts = transcripts
        self.repeat = repeat
        self.language_symbols = language_symbols
        text_lengths = np.asarray(transcripts.sizes) - 1
        sizes = repeat * text_lengths + 1 + language_symbols.num_source_symbols
        self.sizes = np.where(text_lengths > 0, sizes, 0).astype(np.int32)

    def __len__(self) -> int:
        return len(self.transcripts)

    def __getitem__(self, row: int) -> Tensor | None:
        if self.sizes[row] == 0:
            return None
        transcript = self.transcripts[row]
        text = torch.cat([torch.from_numpy(repeat_tokens(transcript[:-1].numpy(), self.repeat)), transcript[-1:]])
        return self.language_symbols.with_symbol_of(self.sources[row], text)


class TextTranscripts:
    """Transcripts of a text stream's examples: their sources with each token once and without symbol."""

    def __init__(self, sources: TokenRows[Tensor], repeat: int, language_symbols: LanguageSymbolIds) -> None:
        self.sources = sources
        self.repeat = repeat
        self.language_symbols = language_symbols

    @property
    def sizes(self) -> np.ndarray:
        """Number of tokens of each transcript, eos included."""
        num_repeated = np.asarray(self.sources.sizes) - 1 - self.language_symbols.num_source_symbols
        return num_repeated // self.repeat + 1

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, row: int) -> Tensor:
        source = self.language_symbols.without_symbol(self.sources[row])
        return torch.cat([torch.from_numpy(tokens_once(source[:-1].numpy(), self.repeat)), source[-1:]])


def sort_with_twins(samples: list[StreamExample], text_stream: int) -> tuple[list[StreamExample], Tensor]:
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
            rows.append({**sample, "stream": text_stream, "source": sample["twin"], "twin": None})
    order = sorted(range(len(rows)), key=lambda row: -len(rows[row]["source"]))
    places = {row: place for place, row in enumerate(order)}
    twins = [places[twin_of[row]] if row in twin_of else -1 for row in order]
    return [rows[row] for row in order], torch.tensor(twins)
