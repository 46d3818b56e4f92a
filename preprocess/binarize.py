"""The stage `binarize`: manifests, units, external text and subwords -> a data-bin that fairseq-train is given.

The speech stream (st) has the rows with audio, in the order of the manifest; the text stream (mt) all rows that have
a source text, and then, in train only, the external text. Writing .bin/.idx is `streams`, token ids are `dictionary`,
the card and what is printed at the end are `data_bin_card`.
"""

import argparse
import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from .card import read_card, write_card
from .data_bin_card import Counts, make_card, summary, write_infeasible
from .dictionary import UNK_INDEX, TokenEncoder, input_symbols, output_symbols, write_dictionary
from .errors import ManifestError, MismatchError, PreprocessError, VocabularyError
from .outputs import whole_folder
from .provenance import check_same_kmeans, common_kmeans, find_kmeans
from .splits import Split, load_splits
from .streams import Example, StreamCounts, StreamWriter
from .subwords import Subwords
from .text import check_parallel, normalise_text, read_parallel

logger = logging.getLogger(__name__)

CHUNK_EXAMPLES = 2000  # encoded by SentencePiece's threads at a time

TextPair = tuple[str, str, str]  # name, source, target
Item = TypeVar("Item")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the stage `binarize`."""
    parser.add_argument("--manifest-dir", type=Path, required=True, help="folder of train.tsv, dev.tsv, test*.tsv")
    parser.add_argument("--units-dir", type=Path, required=True, help="folder of train.units, dev.units, test*.units")
    parser.add_argument("--subwords", type=Path, required=True, help="folder that the stage subwords wrote")
    parser.add_argument("--repeat", type=int, default=4, help="times each source-text token is written; default 4")
    parser.add_argument(
        "--mt-text",
        type=Path,
        nargs="+",
        default=[],
        metavar="SRC TGT",
        help="pairs of files of external text for train, line n a translation of line n",
    )
    parser.add_argument("--kmeans", type=Path, help="folder of the k-means; default: where the units' cards say")
    parser.add_argument("--out", type=Path, required=True, help="data-bin to write")


def run(arguments: argparse.Namespace) -> None:
    """The stage `binarize`: a whole data-bin or none."""
    if arguments.repeat < 1:
        raise PreprocessError(f"--repeat must be at least 1, got {arguments.repeat}")
    subwords = Subwords.load(arguments.subwords)
    splits = load_splits(arguments.manifest_dir, arguments.units_dir)
    text_pairs = _pair_files(arguments.mt_text, splits)
    kmeans_dir = _check_kmeans(splits, subwords, arguments)
    encoder = TokenEncoder(subwords, arguments.repeat)
    with whole_folder(arguments.out) as folder:
        write_dictionary(folder / "dict.src.txt", input_symbols(subwords))
        write_dictionary(folder / "dict.tgt.txt", output_symbols(subwords))
        shutil.copytree(arguments.subwords, folder / "subwords")
        if kmeans_dir is not None:
            shutil.copytree(kmeans_dir, folder / "kmeans")
        counts = {split.name: write_split(folder, split, encoder, text_pairs) for split in splits}
        _report_unknown(counts)
        write_infeasible(folder / "ctc_infeasible.tsv", counts, arguments.out)
        card = make_card(folder, splits, counts, subwords.card, arguments.repeat)
        write_card(folder, card)
    print(summary(card))


def write_split(
    folder: Path, split: Split, encoder: TokenEncoder, text_pairs: Sequence[tuple[Path, Path]]
) -> dict[str, StreamCounts]:
    """Write the streams that a split has data for; `text_pairs` are read for train only.

    Raises:
        VocabularyError: a unit is not in the unit model.
    """
    counts = {}
    if split.units:
        has_transcripts = any(row.audio and row.src_text.strip() for row in split.utterances)
        examples = speech_examples(split, encoder, has_transcripts)
        counts["st"] = _write_stream(folder, split.name, "st", examples, encoder, has_transcripts)
    external = read_parallel(text_pairs) if split.name == "train" else iter(())
    pairs = chain(_manifest_pairs(split), external)
    first = next(pairs, None)
    if first is not None:
        examples = text_examples(chain([first], pairs), encoder)
        counts["mt"] = _write_stream(folder, split.name, "mt", examples, encoder, has_transcripts=False)
    return counts


def speech_examples(split: Split, encoder: TokenEncoder, has_transcripts: bool) -> Iterator[Example]:
    """Examples of the rows with audio, in the manifest's order.

    Raises:
        VocabularyError: a unit is not in the unit model.
    """
    for rows in _chunks(row for row in split.utterances if row.audio is not None):
        sources = encoder.speech([split.units[row.id] for row in rows])
        texts = [normalise_text(row.tgt_text) for row in rows]
        targets = encoder.target(texts)
        transcripts: list[np.ndarray | None] = [None] * len(rows)
        if has_transcripts:
            transcripts = [*encoder.transcript([normalise_text(row.src_text) for row in rows])]
        for row, source, target, text, transcript in zip(rows, sources, targets, texts, transcripts, strict=True):
            if UNK_INDEX in source:
                raise VocabularyError(
                    f"{split.units_path}: a unit of utterance '{row.id}' is not in the unit model; train the "
                    "subwords on units of the same k-means, with their card, so that all its units are known"
                )
            yield Example(row.id, source, target, text, transcript)


def text_examples(pairs: Iterable[TextPair], encoder: TokenEncoder) -> Iterator[Example]:
    """Examples of the text stream, the source repeated."""
    for chunk in _chunks(pairs):
        names, source_texts, target_texts = zip(*chunk, strict=True)
        sources, targets = encoder.repeated_text(source_texts), encoder.target(target_texts)
        yield from map(Example, names, sources, targets, target_texts)


def _write_stream(
    folder: Path, split: str, stream: str, examples: Iterator[Example], encoder: TokenEncoder, has_transcripts: bool
) -> StreamCounts:
    from tqdm import tqdm

    writer = StreamWriter(folder, split, stream, encoder.source_size, encoder.target_size, has_transcripts)
    for example in tqdm(examples, desc=f"binarize {split}.{stream}", unit=" examples"):
        writer.add(example)
    return writer.close()


def _manifest_pairs(split: Split) -> Iterator[TextPair]:
    for row in split.utterances:
        source = normalise_text(row.src_text)
        if source:
            yield row.id, source, normalise_text(row.tgt_text)


def _pair_files(paths: Sequence[Path], splits: Sequence[Split]) -> list[tuple[Path, Path]]:
    if len(paths) % 2:
        raise ManifestError(f"--mt-text needs pairs of files, SRC TGT, got {len(paths)}: {', '.join(map(str, paths))}")
    if paths and splits[0].name != "train":
        raise ManifestError(f"--mt-text goes into train, but there is no train.tsv in {splits[0].manifest.parent}")
    pairs = list(zip(paths[::2], paths[1::2], strict=True))
    for source_path, target_path in pairs:
        num_lines = check_parallel(source_path, target_path)
        logger.info("%s and %s: %d lines", source_path, target_path, num_lines)
    return pairs


def _check_kmeans(splits: Sequence[Split], subwords: Subwords, arguments: argparse.Namespace) -> Path | None:
    cards = {split.units_path: split.units_card for split in splits if split.units}
    units_kmeans = common_kmeans(cards)
    check_same_kmeans(units_kmeans, subwords.card["kmeans"], str(arguments.units_dir), str(arguments.subwords))
    folder = find_kmeans(cards, arguments.kmeans)
    if folder is not None:
        kmeans = read_card(folder, "kmeans")
        check_same_kmeans(kmeans, subwords.card["kmeans"], str(folder), str(arguments.subwords))
        _check_unit_range(splits, kmeans["clusters"], folder)
    elif cards:
        logger.warning("no k-means folder is known: the data-bin will not translate audio, only units; see --kmeans")
    return folder


def _check_unit_range(splits: Sequence[Split], clusters: int, kmeans_dir: Path) -> None:
    for split in splits:
        for utterance_id, units in split.units.items():
            if max(units) >= clusters:
                raise MismatchError(
                    f"{split.units_path}: utterance '{utterance_id}' has unit {max(units)}, but the k-means in "
                    f"{kmeans_dir} has {clusters} clusters (units 0..{clusters - 1}); the units are of another k-means"
                )


def _report_unknown(counts: Counts) -> None:
    for split, streams in counts.items():
        for stream, found in streams.items():
            if any(found.unknown.values()):
                numbers = ", ".join(f"{number} {side}" for side, number in found.unknown.items() if number)
                logger.warning(
                    "%s.%s: %s tokens are <unk>, characters that the subwords were not trained on (first: %s)",
                    split,
                    stream,
                    numbers,
                    found.first_unknown,
                )


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK_EXAMPLES)):
        yield chunk
