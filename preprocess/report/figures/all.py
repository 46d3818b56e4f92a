"""All figures of a data-bin, as report.json has them."""

from typing import Any

import msgspec

from ...data_bin.reader import DataBinReader
from .examples import describe_examples
from .factors import describe_factors
from .lengths import describe_stream, describe_vocabulary
from .measures import Measures, measure
from .units import describe_rates, describe_runs, describe_units


def describe(data_bin: DataBinReader) -> dict[str, Any]:
    """Go through all streams; plain numbers, texts, lists and dictionaries.

    Raises:
        MismatchError: the files do not hold what the card says.
    """
    from tqdm import tqdm

    streams_to_read = list(data_bin.streams())
    num_rows = sum(stream.counts.examples * len(stream.sides) for stream in streams_to_read)
    with tqdm(desc="inspect", total=num_rows, unit=" sequences") as progress:
        streams = [measure(stream, progress.update) for stream in streams_to_read]
    speech = [measures for measures in streams if measures.stream.name == "st"]
    card = data_bin.card
    figures: dict[str, Any] = {
        "data_bin": "/".join(data_bin.path.resolve().parts[-2:]),
        "signature": card.signature,
        "languages": msgspec.to_builtins(card.languages),
        "repeat": card.repeat,
        "num_units": card.num_units,
        "text_model": msgspec.to_builtins(card.text_model),
        "external_text": msgspec.to_builtins(card.external_text),
        "streams": {},
        "vocabulary": describe_vocabulary(data_bin, streams),
        "units": describe_units(data_bin, speech),
        "run_lengths": describe_runs(speech),
        "per_second": describe_rates(data_bin, speech),
        "repeat_factors": describe_factors(_first(streams, "st"), _first(streams, "mt"), card.repeat),
        "examples": describe_examples(data_bin, streams),
    }
    for measures in streams:
        split = figures["streams"].setdefault(measures.stream.split, {})
        split[measures.stream.name] = describe_stream(measures)
    return figures


def _first(streams: list[Measures], name: str) -> Measures | None:
    """The stream of this name of the first split, usually train; None if that has none."""
    split = streams[0].stream.split
    return next((found for found in streams if (found.stream.split, found.stream.name) == (split, name)), None)
