"""Events of a training as lines of text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...training.training_events import SampleTranslations, TrainingStart
from .log_lines import Update, Validation

HEADS = ("attention", "transducer", "ctc", "source_ctc", "rdrop", "consistency")
STREAMS = ("st", "mt")


@dataclass(frozen=True)
class Column:
    """A column of the table of validations.

    Attributes:
        title: above it.
        name: of the value that fairseq logs.
        digits: behind the point.
    """

    title: str
    name: str
    digits: int


def start_lines(start: TrainingStart) -> Iterator[str]:
    """The header: data, model, parameters, device, precision, batches."""
    yield f"data       {start.data_bin}  ({start.data})"
    for split, counts in sorted(start.examples.items()):
        yield f"{split:10} {', '.join(f'{count:,} {stream}' for stream, count in counts.items())} examples"
    trained = "" if start.trained_parameters == start.parameters else f", {start.trained_parameters:,} of them trained"
    yield f"model      {start.model}, {start.parameters:,} parameters{trained}"
    processes = f"{start.processes} processes on " if start.processes > 1 else ""
    yield f"device     {processes}{start.device}, {start.precision}"
    yield f"epoch      {start.batches:,} batches{' of each process' if start.processes > 1 else ''}"


def update_line(update: Update, seconds_left: float | None) -> str:
    """Losses by stream and head, speed, memory and time left."""
    values = update.values
    parts = [f"update {update.num_updates:>6}", f"epoch {update.epochs:.2f}", f"loss {values['loss']:.3f}"]
    for stream in STREAMS:
        if f"{stream}_loss" in values:
            heads = {head.replace("_", " "): values.get(f"{stream}_{head}_loss") for head in HEADS}
            shown = ", ".join(f"{head} {value:.2f}" for head, value in heads.items() if value is not None)
            parts.append(f"{stream} {values[f'{stream}_loss']:.3f} ({shown})")
    if "wps" in values:
        parts.append(f"{values['wps']:,.0f} tokens/s")
    if "memory_gb" in values:
        parts.append(f"{values['memory_gb']:.1f} GB")
    if seconds_left is not None:
        parts.append(f"{duration(seconds_left)} left")
    return "  ".join(parts)


def validation_columns(validations: Sequence[Validation], metric: str) -> list[Column]:
    """Columns for the values that these validations have, that of the best checkpoint's score among them.

    The scores of the stream that is decoded have no stream in their name; the others' streams are in the titles.
    """
    others = [stream for stream in STREAMS if any(f"{stream}_bleu" in each.values for each in validations)]
    decoded = next((stream for stream in STREAMS if stream not in others), "") if others else ""
    columns = [Column("loss", "loss", 3)]
    for prefix, stream in (("", decoded), *((f"{stream}_", stream) for stream in others)):
        for title, name, digits in (("BLEU", "bleu", 2), ("chrF", "chrf", 2), ("BP", "bleu_bp", 3)):
            columns.append(Column(f"{title} {stream}".strip(), f"{prefix}{name}", digits))
    columns += [Column(f"WER {stream}", f"{stream}_source_wer", 1) for stream in STREAMS]
    if all(column.name != metric for column in columns):
        columns.append(Column(metric, metric, 3))
    return [column for column in columns if any(column.name in each.values for each in validations)]


def table_lines(validations: Sequence[Validation], columns: Sequence[Column], marked: Validation | None) -> list[str]:
    """A table with a row a validation; `marked` has a star."""
    rows = [["update", *(column.title for column in columns), ""]]
    for validation in validations:
        cells = [
            f"{validation.values[column.name]:.{column.digits}f}" if column.name in validation.values else "-"
            for column in columns
        ]
        rows.append([str(validation.num_updates), *cells, "*" if validation == marked else ""])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def sample_lines(samples: SampleTranslations) -> Iterator[str]:
    """Source, reference and hypothesis of each sample."""
    for sample in samples.samples:
        texts = {"source": sample.source, "reference": sample.reference, "hypothesis": sample.hypothesis}
        for number, (name, text) in enumerate((name, text) for name, text in texts.items() if text or name != "source"):
            yield f"  {f'{sample.row}' if number == 0 else '':>6}  {name:10}  {text}"


def duration(seconds: float) -> str:
    """A duration in its two largest units."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
