"""The card of a data-bin, its table, and the list of examples too short for CTC."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..files.cards.card import DATA_VERSION
from ..files.cards.data_bin_card import (
    DataBinCard,
    ExternalTextEntry,
    Ratios,
    SomeExamples,
    StreamEntry,
    make_signature,
)
from ..files.cards.named_files import hash_files, list_files
from ..files.cards.units_cards import KnownKmeans
from ..files.languages import Languages, LanguageSymbols
from ..files.reading.escaping import escape_field
from ..files.splits import Split
from ..files.text import align_columns
from ..vocabulary.dictionary import Dictionaries
from ..vocabulary.models import Subwords
from .lengths import long_seconds, total_seconds
from .pruning import Coverage
from .writer import StreamCounts

EXAMPLES_NAMED = 20  # in a card

logger = logging.getLogger(__name__)

Counts = Mapping[str, Mapping[str, StreamCounts]]  # split -> stream -> counts


@dataclass(frozen=True)
class Contents:
    """All that a data-bin is made of, and that its card describes.

    Attributes:
        splits: with their units.
        languages: of all rows.
        subwords: SentencePiece models.
        kmeans: of the units.
        dictionaries: of input and output.
        symbols: of languages; None: there are none.
        coverage: of a text model's pieces; None: there is none.
        repeat: times that each source-text token is written.
        external: entries of the corpora of external text.
    """

    splits: Sequence[Split]
    languages: Languages
    subwords: Subwords
    kmeans: KnownKmeans
    dictionaries: Dictionaries
    symbols: LanguageSymbols | None
    coverage: Coverage | None
    repeat: int
    external: Sequence[ExternalTextEntry]


def make_card(folder: Path, contents: Contents, counts: Counts) -> DataBinCard:
    """Card of the data-bin whose files are in `folder`."""
    dictionary, coverage, first = contents.dictionaries.as_entry(), contents.coverage, contents.splits[0]
    text_model = None
    if coverage is not None and contents.subwords.text_model is not None:
        text_model = coverage.as_entry(contents.subwords.text_model)
    kmeans, symbols = contents.kmeans, contents.symbols
    return DataBinCard(
        languages=contents.languages,
        language_symbols=None if symbols is None else symbols.as_entry(),
        text_model=text_model,
        repeat=contents.repeat,
        num_units=contents.subwords.card.num_units,
        dictionary=dictionary,
        kmeans=kmeans.card,
        counts={
            split.name: {stream: _entry(split, stream, found) for stream, found in counts[split.name].items()}
            for split in contents.splits
        },
        ratios=_ratios(first, counts[first.name], contents.repeat),
        external_text=tuple(contents.external),
        escapes=contents.subwords.card.escapes,
        hashes=hash_files(folder, list_files(folder)),
        signature=make_signature(kmeans.card, dictionary, text_model, contents.repeat, DATA_VERSION),
    )


def write_infeasible(path: Path, counts: Counts, data_bin: Path) -> None:
    """Name the examples that a CTC cannot align, if any. One warning gives their number."""
    rows = [row for streams in counts.values() for found in streams.values() for row in found.infeasible]
    if not rows:
        return
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("split\tstream\tname\tctc\tsource_length\tneeded\n")
        for row in rows:
            file.write(
                f"{row.split}\t{row.stream}\t{escape_field(row.name)}\t{row.ctc}\t{row.source_length}\t{row.needed}\n"
            )
    logger.warning(
        "%d times a source is too short for a CTC of its labels (tokens and repetitions exceed the length); "
        "a CTC or transducer loss cannot learn from these examples: %s",
        len(rows),
        data_bin / path.name,
    )


def summary(card: DataBinCard, coverage: Coverage | None) -> str:
    """The tables that the stage prints: counts of each stream, and of a text model's pieces."""
    several = len(card.languages.target) > 1
    header = ("split", "stream", "examples", "source tokens", "target tokens", "transcripts", "too short for CTC")
    rows: list[tuple[str, ...]] = [(*header, "target languages") if several else header]
    for split, streams in card.counts.items():
        for stream, found in streams.items():
            too_short = f"{found.ctc_infeasible} + {found.source_ctc_infeasible}"
            numbers = found.examples, found.source_tokens, found.target_tokens, found.transcripts
            languages = ", ".join(f"{language} {number}" for language, number in found.target_languages.items())
            row = (split, stream, *map(str, numbers), too_short)
            rows.append((*row, languages) if several else row)
    lines = [*align_columns(rows), *_external_text(card.external_text)]
    lines += align_columns(coverage.table()) if coverage else []
    lines += [f"{name.replace('_', ' ')}: {value:.2f}" for name, value in card.ratios.known.items()]
    return "\n".join([*lines, card.signature])


def _external_text(entries: Sequence[ExternalTextEntry]) -> list[str]:
    rows = [("external text", "pairs", "left out", "ratio", "written")]
    for entry in entries:
        names = " ".join(file.name for file in entry.files)
        dropped, written = (
            ", ".join(f"{number} {name}" for name, number in numbers.items())
            for numbers in (entry.dropped, entry.written)
        )
        rows.append((names, str(entry.pairs), dropped or "0", f"{entry.ratio:g}", written or "0"))
    return align_columns(rows) if entries else []


def _entry(split: Split, stream: str, found: StreamCounts) -> StreamEntry:
    is_speech = stream == "st"
    return StreamEntry(
        examples=found.examples,
        target_languages=dict(sorted(found.target_languages.items())),
        source_tokens=found.source_tokens,
        target_tokens=found.target_tokens,
        transcripts=found.transcripts,
        seconds=total_seconds(split) if is_speech else None,
        run_lengths=split.units_card.run_lengths if is_speech and split.units_card else None,
        ctc_infeasible=sum(row.ctc == "target" for row in found.infeasible),
        source_ctc_infeasible=sum(row.ctc == "transcript" for row in found.infeasible),
        long_seconds=long_seconds(split) if is_speech else None,
        cancelled=_cancelled(split) if is_speech else None,
        altered=SomeExamples(len(found.altered), tuple(found.altered[:EXAMPLES_NAMED])),
    )


def _cancelled(split: Split) -> SomeExamples | None:
    rows = split.units_card.cancelled if split.units_card else None
    if rows is None:
        return None
    spoken = [row.id for row in split.spoken_rows()]
    first = set(rows.first)
    return SomeExamples(rows.count, tuple(index for index, identifier in enumerate(spoken) if identifier in first))


def _ratios(split: Split, counts: Mapping[str, StreamCounts], repeat: int) -> Ratios:
    """Lengths against each other in one split."""
    seconds = total_seconds(split) if split.units else None
    speech = counts.get("st", StreamCounts())
    num_frames = split.units_card.frames if split.units_card else None
    repeated_tokens = repeat * speech.transcript_tokens
    return Ratios(
        units_per_second=_divide(num_frames, seconds),
        deduplicated_units_per_second=_divide(sum(map(len, split.units.values())), seconds),
        unit_subwords_per_second=_divide(speech.source_tokens, seconds),
        repeated_text_to_speech_length=_divide(repeated_tokens or None, speech.transcribed_source_tokens),
    )


def _divide(numerator: float | None, denominator: float | None) -> float | None:
    return numerator / denominator if numerator is not None and denominator else None
