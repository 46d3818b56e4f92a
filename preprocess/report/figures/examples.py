"""A few examples of a data-bin, taken apart: units, pieces and texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...data_bin.reader import DataBinReader, Stream
from ...files.repetition import tokens_once
from ...vocabulary.dictionary import EOS_INDEX
from .measures import Measures

SHARES = {"st": (10, 30, 50, 70, 90), "mt": (30, 70)}  # percentiles of the source's length


def describe_examples(data_bin: DataBinReader, streams: Sequence[Measures]) -> list[dict[str, Any]]:
    """Examples from short to long, of the first split after train, else of train."""
    figures = []
    for name, shares in SHARES.items():
        found = [measures for measures in streams if measures.stream.name == name]
        if found:
            chosen = found[min(1, len(found) - 1)]
            for index in _spread(chosen.sides["source"].lengths, shares):
                figures.append(_describe_example(data_bin, chosen.stream, index))
    return figures


def _spread(lengths: np.ndarray, shares: Sequence[int]) -> list[int]:
    """Indices of examples at these percentiles of the lengths, each once."""
    order = np.argsort(lengths, kind="stable")
    return list(dict.fromkeys(int(order[(len(order) - 1) * share // 100]) for share in shares))


def _describe_example(data_bin: DataBinReader, stream: Stream, index: int) -> dict[str, Any]:
    """Pieces as they are stored, units of each, and texts decoded by the data-bin's SentencePiece models."""
    source, target = (
        [token for token in stream.read(side, [index])[0].tolist() if token != EOS_INDEX]
        for side in ("source", "target")
    )
    pieces = [data_bin.source_symbols[token] for token in source]
    target_pieces = [data_bin.target_symbols[token] for token in target]
    figures: dict[str, Any] = {"split": stream.split, "stream": stream.name, "index": index}
    if stream.name == "st":
        units = dict(zip(data_bin.unit_pieces, data_bin.units_of_pieces, strict=True))
        figures["source"] = [units.get(token, piece) for token, piece in zip(source, pieces, strict=True)]
    else:
        figures["source"] = pieces
        text_pieces = [piece for piece in pieces if piece not in data_bin.language_symbols]
        figures["source_text"] = data_bin.subwords.source.decode(tokens_once(text_pieces, data_bin.card.repeat))
    if "transcript" in stream.sides:
        transcript = stream.read("transcript", [index])[0][:-1]
        figures["transcript"] = [data_bin.source_symbols[token] for token in transcript]
        figures["source_text"] = data_bin.subwords.source.decode(figures["transcript"])
    figures["target"] = target_pieces
    words = [piece for piece in target_pieces if piece not in data_bin.language_symbols]
    figures["target_text"] = data_bin.subwords.target.decode(words)
    return figures
