"""The stage `units`: audio -> frames -> nearest centroids -> deduplicated units, one line an utterance.

While it runs, finished utterances stand in a journal beside the output (`.NAME.journal`), in the order of the
manifest. A run that was interrupted, or met an utterance that it could not use, leaves the journal, and the next run
with the same centroids goes on where the manifest still says what it said then. At the end FILE.units and
FILE.card.json are written whole and the journal is removed. Rows without audio are left out.
"""

import argparse
import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .card import VERSION, Card, hash_file
from .errors import PreprocessError
from .extractors import Extractor, load_described
from .frames import SpokenUtterance, UtteranceFrames, frame_batches, read_spoken
from .journal import Journal, JournalEntry
from .kmeans import assign_clusters, load_kmeans
from .manifest import Utterance
from .outputs import whole_file
from .units import deduplicate, format_units


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the stage `units`."""
    parser.add_argument("--manifest", type=Path, required=True, help="rows with audio become lines")
    parser.add_argument("--kmeans", type=Path, required=True, help="folder that the stage kmeans wrote")
    parser.add_argument("--extractor", help="where the extractor of the k-means lies now; default: where it lay then")
    parser.add_argument("--device", default="cpu", help="torch device of the encoder; default %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="FILE.units to write, FILE.card.json beside it")


def run(arguments: argparse.Namespace) -> None:
    """The stage `units`: manifest and k-means folder -> FILE.units and its card."""
    if arguments.out.suffix != ".units":
        raise PreprocessError(f"--out must be a file named *.units, got {arguments.out}")
    centroids, kmeans_card = load_kmeans(arguments.kmeans)
    spoken = read_spoken(arguments.manifest)
    if not spoken:
        raise PreprocessError(f"{arguments.manifest}: no row has audio, so there is nothing to make units of")
    extractor = load_described(kmeans_card["extractor"], arguments.device, arguments.extractor)
    journal = Journal(arguments.out.with_name(f".{arguments.out.name}.journal"), {"kmeans": kmeans_card["hashes"]})
    convert(spoken, extractor, centroids, journal)
    card = {
        "stage": "units",
        "version": VERSION,
        "kmeans": kmeans_card,
        "kmeans_folder": os.path.relpath(arguments.kmeans, arguments.out.parent),
    }
    write_units(arguments.out, journal.entries(), card)
    journal.remove()


def convert(spoken: list[SpokenUtterance], extractor: Extractor, centroids: np.ndarray, journal: Journal) -> None:
    """Bring the units of every utterance into the journal, in order; those it holds already are not computed again.

    Raises:
        AudioError, ExtractorError: an utterance cannot be used (its manifest, line and id are named).
        OutputError: the journal cannot be written.
    """
    from tqdm import tqdm

    with journal:
        num_done = journal.resume((item.utterance.id, _source(item.utterance)) for item in spoken)
        with tqdm(total=len(spoken), initial=num_done, desc="units", unit=" utterances") as progress:
            for batch in frame_batches(spoken[num_done:], extractor):
                journal.append([_entry(item, centroids) for item in batch])
                progress.update(len(batch))


def write_units(path: Path, entries: Iterable[JournalEntry], card: Card) -> None:
    """Write FILE.units and FILE.card.json, whole; counts and hash are added to the card.

    Raises:
        OutputError: a file cannot be written.
    """
    counts = {"utterances": 0, "seconds": 0.0, "frames": 0, "deduplicated_units": 0}
    card_path = path.with_suffix(".card.json")
    with whole_file(path) as temporary:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            for entry in entries:
                file.write(format_units(entry.id, entry.units))
                counts["utterances"] += 1
                counts["seconds"] += entry.seconds
                counts["frames"] += entry.num_frames
                counts["deduplicated_units"] += len(entry.units)
        counts["seconds"] = round(counts["seconds"], 3)
        whole_card = card | counts | {"hashes": {path.name: hash_file(temporary)}}
        # The card first: with the units of an earlier run beside it, it does not match, which later stages refuse.
        with whole_file(card_path) as temporary_card:
            temporary_card.write_text(json.dumps(whole_card, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _entry(item: UtteranceFrames, centroids: np.ndarray) -> JournalEntry:
    units, _ = deduplicate(assign_clusters(item.frames, centroids))
    utterance = item.spoken.utterance
    return JournalEntry(utterance.id, _source(utterance), units.tolist(), len(item.frames), item.seconds)


def _source(utterance: Utterance) -> str:
    return f"{utterance.audio} {utterance.offset} {utterance.duration}"
