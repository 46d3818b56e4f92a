"""The picture of one segment: spans on a line, and their weight in each output token."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from preprocess.files.tokens.repetition import tokens_once
from preprocess.files.units import text_to_units

from ..alignment import align
from ..translate.recordings.reading import read_as_flac, read_peaks
from ..translate.results import Hypothesis, Segment, Times

if TYPE_CHECKING:
    from ..data.data_bin import DataBin
    from ..translate.translator import Translator

PEAKS_PER_SECOND = 200


@dataclass(frozen=True)
class Span:
    """A stretch of the line."""

    start: float
    end: float
    label: str
    hint: str  # shown when the mouse rests on it


@dataclass(frozen=True)
class Picture:
    """A line of time, or of source words, and the alignment beneath it.

    Attributes:
        length: of the line, in seconds, or source subwords where there is no sound.
        sources: what the model reads, as far as it has a place on the line.
        tokens: U output tokens.
        weights: (U, number of sources) share of each source in each token.
        elsewhere: (U,) share of positions without a place: language symbol and end of sentence.
        units: runs of one unit, their labels being the unit; none for text.
        begin: of the line in the file, seconds.
        peaks: (N, 2) lowest and highest sample of each N-th of the line; None without sound.
        flac: the sound to play; empty without sound.
    """

    length: float
    sources: Sequence[Span]
    tokens: Sequence[str]
    weights: np.ndarray
    elsewhere: np.ndarray
    units: Sequence[Span] = ()
    begin: float = 0.0
    peaks: np.ndarray | None = None
    flac: bytes = b""


def make_picture(
    translator: "Translator",
    segment: Segment,
    hypothesis: Hypothesis,
    target_language: str | None,
    recording: Path | None,
) -> Picture:
    """The picture of one translation of a segment.

    Args:
        translator: that made it.
        segment: of a recording, or a line of text.
        hypothesis: one of the segment's.
        target_language: where the model has several.
        recording: the file; None for text.

    Raises:
        ValueError: the tokens cannot be aligned to the source.
    """
    data_bin = translator.task.data_bin
    start = data_bin.language_symbols.decoder_start(target_language or data_bin.target_languages[0])
    source, labels = torch.tensor(segment.source_tokens), torch.tensor(hypothesis.tokens, dtype=torch.int64)
    weights = align(translator.models, translator.decoding, source, labels, start).numpy()
    tokens = [data_bin.target_dictionary[token] for token in hypothesis.tokens]
    if recording is None:
        return _text_picture(data_bin, source, tokens, weights)
    begin, end = segment.start or 0.0, segment.end or 0.0
    return Picture(
        end - begin,
        [
            _unit_subword(data_bin, token, times, begin)
            for token, times in zip(segment.source_tokens, segment.source_times, strict=True)
            if times is not None
        ],
        tokens,
        weights[:, [times is not None for times in segment.source_times]],
        weights[:, [times is None for times in segment.source_times]].sum(1),
        [_unit(unit, times, begin) for unit, times in zip(segment.units, segment.unit_times, strict=True)],
        begin,
        read_peaks(recording, begin, end, round((end - begin) * PEAKS_PER_SECOND)),
        read_as_flac(recording, begin, end),
    )


def _text_picture(data_bin: "DataBin", source: Tensor, tokens: list[str], weights: np.ndarray) -> Picture:
    """Each source subword once, though the model reads it several times."""
    no_text = torch.tensor([data_bin.source_dictionary.eos(), *data_bin.language_symbols.source_ids.values()])
    is_text = ~torch.isin(source, no_text)
    repeat = data_bin.card.repeat
    pieces = [data_bin.source_dictionary[index] for index in tokens_once(source[is_text].numpy(), repeat)]
    return Picture(
        len(pieces),
        [Span(number, number + 1, piece, piece) for number, piece in enumerate(pieces)],
        tokens,
        weights[:, is_text.numpy()].reshape(len(tokens), len(pieces), repeat).sum(2),
        weights[:, ~is_text.numpy()].sum(1),
    )


def _unit(unit: int, times: Times, begin: float) -> Span:
    return Span(times[0] - begin, times[1] - begin, str(unit), f"unit {unit}, {_in_words(times)}")


def _unit_subword(data_bin: "DataBin", token: int, times: Times, begin: float) -> Span:
    if token == data_bin.source_dictionary.unk():
        name = "unknown units"
    else:
        name = f"units {' '.join(map(str, text_to_units(data_bin.source_dictionary[token])))}"
    return Span(times[0] - begin, times[1] - begin, "", f"{name}, {_in_words(times)}")


def _in_words(times: Times) -> str:
    return f"{times[0]:.2f} to {times[1]:.2f} s"
