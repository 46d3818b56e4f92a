"""Events that a training logs for `hmst train` to show: a line of JSON each, beside fairseq's own."""

import dataclasses
import json
import logging
from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingStart:
    """Data, model and device of a training; logged once, before the first update.

    Attributes:
        data_bin: its path; of several the paths, separated by colons.
        data: signature of the data-bin.
        examples: number of examples by split and stream.
        model: name of its class.
        parameters, trained_parameters: their numbers.
        device: name of the GPU, or `cpu`.
        processes: number of processes that train together.
        precision: of the parameters, such as `float32`.
        batches: of each process in an epoch; --update-freq of them make an update.
    """

    data_bin: str
    data: str
    examples: dict[str, dict[str, int]]
    model: str
    parameters: int
    trained_parameters: int
    device: str
    processes: int
    precision: str
    batches: int


@dataclass(frozen=True)
class Sample:
    """One translation of the validation, to look at.

    Attributes:
        row: its number in the split.
        source: its transcript; "" where none is known.
        reference, hypothesis: what the translation should be, and what it is.
    """

    row: int
    source: str
    reference: str
    hypothesis: str


@dataclass(frozen=True)
class SampleTranslations:
    """Translations of the same examples after each validation."""

    num_updates: int
    samples: tuple[Sample, ...]


NOTHING_TO_DO = "nothing to do: the training is finished"  # begins the line of a training that makes no update
NAMES = {TrainingStart: "hmst_start", SampleTranslations: "hmst_samples"}


def log_event(event: TrainingStart | SampleTranslations) -> None:
    """Log an event as JSON, by a logger of its name; of several processes fairseq lets the first log alone."""
    logging.getLogger(NAMES[type(event)]).info(json.dumps(dataclasses.asdict(event), ensure_ascii=False))


def read_event(name: str, text: str) -> TrainingStart | SampleTranslations | None:
    """The event of a logged line; None if the logger of this name logs others."""
    if name == NAMES[TrainingStart]:
        return TrainingStart(**json.loads(text))
    if name == NAMES[SampleTranslations]:
        content = json.loads(text)
        return SampleTranslations(content["num_updates"], tuple(Sample(**each) for each in content["samples"]))
    return None
