"""A few examples of a data-bin, taken apart: units, pieces and texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET, UnsetType

from ...data_bin.reader import DataBinReader, Stream
from ...files.tokens.repetition import tokens_once
from ...vocabulary.dictionary import EOS_INDEX
from .measures import Measures

SHARES = {"st": (10, 30, 50, 70, 90), "mt": (30, 70)}  # percentiles of the source's length


@dataclass(frozen=True, kw_only=True)
class ShownExample:
    """One example as it is stored, and its texts.

    Attributes:
        split, stream, index: where it is.
        id: of the utterance, or FILE:LINE of external text.
        source: its tokens: the units of a unit piece, or another piece itself.
        transcript: pieces, not repeated; unset where the stream has no transcripts.
        source_text: unset for speech of a stream without transcripts.
        target: pieces.
        target_text: their text.
    """

    split: str
    stream: str
    index: int
    id: str
    source: Sequence[str | Sequence[int]]
    transcript: Sequence[str] | UnsetType = UNSET
    source_text: str | UnsetType = UNSET
    target: Sequence[str]
    target_text: str


def describe_examples(data_bin: DataBinReader, streams: Sequence[Measures]) -> list[ShownExample]:
    """Examples from short to long, of the first split after train, else of train."""
    shown = []
    for name, shares in SHARES.items():
        found = [measures for measures in streams if measures.stream.name == name]
        if found:
            chosen = found[min(1, len(found) - 1)]
            indices = _spread(chosen.sides["source"].lengths, shares)
            for index, identifier in zip(indices, chosen.stream.ids(indices), strict=True):
                shown.append(_describe_example(data_bin, chosen.stream, index, identifier))
    return shown


def _spread(lengths: np.ndarray, shares: Sequence[int]) -> list[int]:
    """Indices of examples at these percentiles of the lengths, each once."""
    order = np.argsort(lengths, kind="stable")
    return list(dict.fromkeys(int(order[(len(order) - 1) * share // 100]) for share in shares))


def _describe_example(data_bin: DataBinReader, stream: Stream, index: int, identifier: str) -> ShownExample:
    """Pieces as they are stored, units of each, and texts decoded by the data-bin's SentencePiece models."""
    source, target = (
        [token for token in stream.read(side, [index])[0].tolist() if token != EOS_INDEX]
        for side in ("source", "target")
    )
    pieces = [data_bin.source_symbols[token] for token in source]
    target_pieces = [data_bin.target_symbols[token] for token in target]
    transcript = _transcript(data_bin, stream, index)
    is_text = stream.name == "mt"
    once = tokens_once(_without_languages(data_bin, pieces), data_bin.card.repeat) if is_text else transcript
    units = dict(zip(data_bin.unit_pieces, data_bin.units_of_pieces, strict=True))
    return ShownExample(
        split=stream.split,
        stream=stream.name,
        index=index,
        id=identifier,
        source=pieces if is_text else [units.get(token, piece) for token, piece in zip(source, pieces, strict=True)],
        transcript=transcript,
        source_text=UNSET if once is UNSET else data_bin.subwords.decode_source(once),
        target=target_pieces,
        target_text=data_bin.subwords.decode_target(_without_languages(data_bin, target_pieces)),
    )


def _transcript(data_bin: DataBinReader, stream: Stream, index: int) -> list[str] | UnsetType:
    if "transcript" not in stream.sides:
        return UNSET
    return [data_bin.source_symbols[token] for token in stream.read("transcript", [index])[0][:-1]]


def _without_languages(data_bin: DataBinReader, pieces: Sequence[str]) -> list[str]:
    return [piece for piece in pieces if piece not in data_bin.language_symbols]
