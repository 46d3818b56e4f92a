"""All figures of a data-bin, as report.json has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ...data_bin.reader import DataBinReader
from ...files.cards.data_bin_card import ExternalTextEntry, KeptTextModel
from ...files.languages import Languages
from ...files.reading.escaping import to_json
from .dictionary_use import PieceUse, describe_dictionaries
from .factors import RepeatFactors, describe_factors
from .measures import Measures, measure
from .shown_examples import ShownExample, describe_examples
from .speech_figures import SecondsFigures, SpeakerFigures, describe_seconds, describe_speakers
from .stream_figures import StreamFigures, describe_stream
from .unit_use import TokenRates, UnitRuns, UnitUse, describe_rates, describe_runs, describe_units
from .warnings.checks import Outcome, check_all
from .warnings.warning import Inspected


@dataclass(frozen=True)
class DataBinFigures:
    """All figures of a data-bin; the fields, and those of their types, are the keys of report.json.

    Attributes:
        data_bin: its folder and the one above.
        checks: warnings, and what was not checked.
        signature, languages, repeat, num_units, text_model, external_text: from its card.
        streams: by split, then by stream, `st` or `mt`.
        seconds, speakers: by split, of the speech streams; splits of which they are not known are missing.
        vocabulary: use of `unit`, `source` and `target` pieces.
        units, run_lengths, per_second: by split, of the speech streams; splits of which nothing is known are missing.
        repeat_factors: of the first split; None where there is nothing to compare.
        examples: a few, taken apart.
    """

    data_bin: str
    checks: Outcome
    signature: str
    languages: Languages
    repeat: int
    num_units: int
    text_model: KeptTextModel | None
    external_text: tuple[ExternalTextEntry, ...]
    streams: Mapping[str, Mapping[str, StreamFigures]]
    seconds: Mapping[str, SecondsFigures]
    speakers: Mapping[str, SpeakerFigures]
    vocabulary: Mapping[str, PieceUse]
    units: Mapping[str, UnitUse]
    run_lengths: Mapping[str, UnitRuns]
    per_second: Mapping[str, TokenRates]
    repeat_factors: RepeatFactors | None
    examples: Sequence[ShownExample]

    def to_json(self) -> str:
        """Text of report.json."""
        return to_json(msgspec.to_builtins(self, str_keys=True), indent=1) + "\n"


def describe_data_bin(data_bin: DataBinReader) -> DataBinFigures:
    """Go through all streams and take the figures.

    Raises:
        MismatchError: the files do not hold what the card says.
    """
    card, measured = data_bin.card, _measure_all(data_bin)
    speech = [measures for measures in measured if measures.stream.name == "st"]
    streams: dict[str, dict[str, StreamFigures]] = {}
    for measures in measured:
        streams.setdefault(measures.stream.split, {})[measures.stream.name] = describe_stream(measures)
    return DataBinFigures(
        data_bin="/".join(data_bin.path.resolve().parts[-2:]),
        checks=check_all(Inspected(card, measured)),
        signature=card.signature,
        languages=card.languages,
        repeat=card.repeat,
        num_units=card.num_units,
        text_model=card.text_model,
        external_text=card.external_text,
        streams=streams,
        seconds=describe_seconds(speech),
        speakers=describe_speakers(speech),
        vocabulary=describe_dictionaries(data_bin, measured),
        units=describe_units(data_bin, speech),
        run_lengths=describe_runs(speech),
        per_second=describe_rates(data_bin, speech),
        repeat_factors=describe_factors(_first(measured, "st"), _first(measured, "mt"), card.repeat),
        examples=describe_examples(data_bin, measured),
    )


def _measure_all(data_bin: DataBinReader) -> list[Measures]:
    from tqdm import tqdm

    streams = list(data_bin.streams())
    num_rows = sum(stream.counts.examples * len(stream.sides) for stream in streams)
    with tqdm(desc="inspect", total=num_rows, unit=" sequences") as progress:
        return [measure(stream, progress.update) for stream in streams]


def _first(measured: Sequence[Measures], name: str) -> Measures | None:
    """The stream of this name of the first split, usually train; None if that has none."""
    split = measured[0].stream.split
    return next((found for found in measured if (found.stream.split, found.stream.name) == (split, name)), None)
