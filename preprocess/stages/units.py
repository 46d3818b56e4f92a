"""The stage `units`: audio -> frames -> nearest centroids -> deduplicated units, one line an utterance.

Rows without audio are left out. Rows that share their audio are together, where the first of them is. Of train
there may be lines at other speeds too (Ko et al. 2015), behind that of the row at speed 1. FILE.units and
FILE.card.json are written when all shards of the audio are done (see `shards`); a run that was interrupted, or met an
utterance that it could not use, goes on from there.
"""

import argparse
import itertools
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..clustering.assignment import UnitsTask
from ..clustering.centroids import load_kmeans
from ..errors import PreprocessError
from ..files.cards.named_files import entry_of
from ..files.cards.stage_cards import CENTROIDS_NAME, SomeRows, UnitsCard
from ..files.cards.units_cards import check_replaceable_units, units_card_path
from ..files.faults import faults_path
from ..files.outputs.held import held_file
from ..files.outputs.place import folder_of_model, inputs_of
from ..files.outputs.replacing import list_path_of_run
from ..files.program.options import add_options, option, read_options
from ..files.speeds import ONE_SPEED, check_speeds, check_speeds_fit, in_order
from ..files.units import format_units
from ..files.whole import whole_files
from ..speech.extractors.limits import read_limits
from ..speech.frames import AudioSpan
from ..speech.shards import AudioOptions, Shards

ROWS_NAMED = 20  # in a card


@dataclass(frozen=True)
class UnitsOptions:
    """Options of the stage `units`."""

    kmeans: Path = option("folder that the stage kmeans wrote")
    out: Path = option("FILE.units to write, FILE.card.json beside it")
    extractor_source: str | None = option(
        "where the extractor of the k-means lies now; default: where it lay then",
        None,
        flag="extractor",
        metavar="EXTRACTOR",
    )
    audio: AudioOptions = field(default_factory=AudioOptions)
    speeds: tuple[float, ...] = option(
        "of train alone: speeds of the speech, 0.5 to 2, 1 among them, such as 0.9,1,1.1; of each row there is a line "
        "at every speed, with the id sp0.9-ID and the like",
        ONE_SPEED,
        metavar="SPEED",
        has_commas=True,
    )

    def __post_init__(self) -> None:
        """Check the name of the output, and the speeds.

        Raises:
            PreprocessError: the output is not FILE.units, or speeds are out of range; see `check_speeds`.
        """
        check_speeds(self.speeds)
        if self.out.suffix != ".units":
            raise PreprocessError(f"--out must be a file named *.units, got {self.out}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the stage `units`."""
    parser.add_argument("--manifest", type=Path, required=True, help="rows with audio become lines")
    add_options(parser, UnitsOptions)


def options_of(arguments: argparse.Namespace) -> UnitsOptions:
    """The options of a command line."""
    return read_options(UnitsOptions, arguments)


def run(arguments: argparse.Namespace) -> None:
    """Run the stage `units` with the options of a command line."""
    make_units(arguments.manifest, options_of(arguments))


def make_units(manifest: Path, options: UnitsOptions) -> UnitsCard:
    """Make deduplicated units of a manifest's audio, and write FILE.units and its card.

    Args:
        manifest: rows with audio become lines.
        options: of the stage.

    Returns:
        The card of the units.

    Raises:
        PreprocessError: an option, the manifest, its audio, the k-means or the extractor cannot be used.
    """
    check_speeds_fit(options.speeds, manifest)
    inputs = inputs_of(manifest, options, folder_of_model(options.extractor_source))
    with held_file(options.out, inputs):
        check_replaceable_units(options.out)
        _, kmeans = load_kmeans(options.kmeans)
        limits = read_limits(options.extractor_source or kmeans.extractor.source)
        shards = Shards(manifest, options.out, options.audio, limits, in_order(options.speeds))
        task = UnitsTask(
            kmeans=Path(os.path.abspath(options.kmeans)),
            centroids_hash=kmeans.hashes[CENTROIDS_NAME].sha256,
            extractor_source=options.extractor_source,
            device=options.audio.device,
            skip_faults=options.audio.faults.skips,
        )
        shards.compute(task)
        card = UnitsCard(
            kmeans=kmeans,
            kmeans_folder=os.path.relpath(options.kmeans, options.out.parent),
            speeds=tuple(sorted(map(float, options.speeds))),
            skipped=len(shards.faults),
            utterances=0,
            seconds=0.0,
            frames=0,
            deduplicated_units=0,
            run_lengths={},
            cancelled=SomeRows(len(shards.cancelled), tuple(shards.cancelled[:ROWS_NAMED])),
            hashes={},
        )
        card = write_units(options.out, shards, card)
        shards.remove()
    return card


def write_units(path: Path, shards: Shards, card: UnitsCard) -> UnitsCard:
    """Write FILE.units, FILE.card.json and FILE.errors.tsv, whole; return the card with its counts and hashes.

    Raises:
        OutputError: a file cannot be written.
    """
    utterances = frames = deduplicated_units = 0
    seconds = 0.0
    run_lengths: Counter[int] = Counter()
    with whole_files(path, lists=["errors"]) as folder:
        with open(folder / path.name, "w", encoding="utf-8", newline="\n") as file:
            for line in _lines(shards):
                file.write(format_units(line.utterance_id, line.units))
                utterances += 1
                seconds += line.seconds
                frames += line.num_frames
                deduplicated_units += len(line.units)
                run_lengths.update(line.run_lengths)
        hashes = {path.name: entry_of(folder / path.name)}
        if shards.faults:
            hashes[faults_path(path).name] = entry_of(list_path_of_run(path, "errors"))
        card = replace(
            card,
            utterances=utterances,
            seconds=round(seconds, 3),
            frames=frames,
            deduplicated_units=deduplicated_units,
            run_lengths=dict(sorted(run_lengths.items())),
            hashes=hashes,
        )
        card.write_file(folder / units_card_path(path).name)
    return card


@dataclass(frozen=True)
class _Line:
    utterance_id: str
    units: list[int]
    run_lengths: list[int]
    num_frames: int
    seconds: float


def _lines(shards: Shards) -> Iterator[_Line]:
    """The lines of all rows; those of one row, at all its speeds, are together."""
    for _, group in itertools.groupby(_encoded(shards), key=lambda item: item[0].stretch):
        at_speeds = list(group)
        for row in range(len(at_speeds[0][0].ids)):
            for span, line in at_speeds:
                yield replace(line, utterance_id=span.ids[row])


def _encoded(shards: Shards) -> Iterator[tuple[AudioSpan, _Line]]:
    """Spans that could be used, each with the line of its first row."""
    for spans, arrays in shards.results():
        starts = np.cumsum(arrays["num_units"])[:-1]
        units, run_lengths = (np.split(arrays[name], starts) for name in ("units", "run_lengths"))
        columns = zip(spans, units, run_lengths, arrays["num_frames"], arrays["seconds"], strict=True)
        for span, span_units, lengths, num_frames, seconds in columns:
            if num_frames:
                runs = span_units.tolist(), lengths.tolist()
                yield span, _Line(span.ids[0], *runs, int(num_frames), float(seconds))
