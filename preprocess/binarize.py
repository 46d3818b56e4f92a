"""The stage `binarize`: manifests, units, external text and subwords -> a data-bin that fairseq-train is given.

The speech stream (st) has the rows with audio, in the order of the manifest; the text stream (mt) all rows that have
a source text, and then, in train only, the external text. Token ids are `dictionary`, examples are `examples`,
writing .bin/.idx is `streams`, the pieces kept of a text model are `pruning`, the card and what is printed at the end
are `data_bin_card`.
"""

import argparse
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from .card import read_card, write_card
from .data_bin_card import Counts, make_card, summary, write_infeasible
from .dictionary import make_dictionaries, write_dictionary
from .errors import MismatchError, PreprocessError
from .examples import manifest_pairs, speech_examples, text_examples
from .external_text import ExternalCorpus, add_external_text_arguments, load_external_text
from .languages import find_language_symbols
from .lock import one_at_a_time
from .outputs import whole_folder
from .provenance import check_same_kmeans, common_kmeans, find_kmeans
from .pruning import count_pieces, kept_pieces
from .splits import Split, find_languages, load_splits
from .streams import Example, StreamCounts, StreamWriter
from .subwords import Subwords
from .token_encoder import TokenEncoder

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the stage `binarize`."""
    parser.add_argument("--manifest-dir", type=Path, required=True, help="folder of train.tsv, dev.tsv, test*.tsv")
    parser.add_argument("--units-dir", type=Path, required=True, help="folder of train.units, dev.units, test*.units")
    parser.add_argument("--subwords", type=Path, required=True, help="folder that the stage subwords wrote")
    parser.add_argument("--repeat", type=int, default=4, help="times each source-text token is written; default 4")
    parser.add_argument(
        "--keep-all-pieces",
        action="store_true",
        help="with a text model: give all its pieces a line in the dictionaries, not only those that occur in the data",
    )
    parser.add_argument("--kmeans", type=Path, help="folder of the k-means; default: where the units' cards say")
    parser.add_argument("--out", type=Path, required=True, help="data-bin to write")
    add_external_text_arguments(parser)


@one_at_a_time
def run(arguments: argparse.Namespace) -> None:
    """The stage `binarize`: a whole data-bin or none."""
    if arguments.repeat < 1:
        raise PreprocessError(f"--repeat must be at least 1, got {arguments.repeat}")
    subwords = Subwords.load(arguments.subwords)
    if arguments.keep_all_pieces and subwords.text_model is None:
        raise PreprocessError(f"--keep-all-pieces is for subwords with a text model, {arguments.subwords} has none")
    splits = load_splits(arguments.manifest_dir, arguments.units_dir)
    languages = find_languages(splits)
    symbols = find_language_symbols(languages, subwords.text_model)
    kmeans_dir = _check_kmeans(splits, subwords, arguments)
    external = load_external_text(arguments, splits, languages)
    coverage = kept = None
    if subwords.text_model is not None:
        coverage = count_pieces(subwords, splits, chain(*external), arguments.keep_all_pieces)
        kept = kept_pieces(subwords, coverage)
    dictionaries = make_dictionaries(subwords, symbols, kept)
    encoder = TokenEncoder(subwords, dictionaries, symbols, arguments.repeat)
    with whole_folder(arguments.out) as folder:
        write_dictionary(folder / "dict.src.txt", dictionaries.source)
        write_dictionary(folder / "dict.tgt.txt", dictionaries.target)
        shutil.copytree(arguments.subwords, folder / "subwords")
        if kmeans_dir is not None:
            shutil.copytree(kmeans_dir, folder / "kmeans")
        writer = _SplitWriter(folder, encoder, external, has_target_languages=len(languages.target) > 1)
        counts = {split.name: writer.write(split) for split in splits}
        _report_unknown(counts)
        write_infeasible(folder / "ctc_infeasible.tsv", counts, arguments.out)
        card = make_card(folder, splits, counts, subwords.card, dictionaries, symbols, coverage, arguments.repeat)
        card["external_text"] = [corpus.card_entry() for corpus in external]
        write_card(folder, card)
    print(summary(card, coverage))


@dataclass(frozen=True)
class _SplitWriter:
    """Writes the streams that a split has data for into a data-bin; the external text into train."""

    folder: Path
    encoder: TokenEncoder
    external: Sequence[ExternalCorpus]
    has_target_languages: bool

    def write(self, split: Split) -> dict[str, StreamCounts]:
        """Write one split.

        Raises:
            VocabularyError: a unit is not in the unit model.
        """
        counts = {}
        if split.units:
            has_transcripts = any(row.audio and row.src_text.strip() for row in split.utterances)
            examples = speech_examples(split, self.encoder, has_transcripts)
            counts["st"] = self._write_stream(split.name, "st", examples, has_transcripts)
        pairs = chain(manifest_pairs(split), *(self.external if split.name == "train" else ()))
        first = next(pairs, None)
        if first is not None:
            examples = text_examples(chain([first], pairs), self.encoder)
            counts["mt"] = self._write_stream(split.name, "mt", examples, has_transcripts=False)
        return counts

    def _write_stream(
        self, split: str, stream: str, examples: Iterator[Example], has_transcripts: bool
    ) -> StreamCounts:
        from tqdm import tqdm

        sizes = self.encoder.source_size, self.encoder.target_size
        writer = StreamWriter(self.folder, split, stream, sizes, has_transcripts, self.has_target_languages)
        for example in tqdm(examples, desc=f"binarize {split}.{stream}", unit=" examples"):
            writer.add(example)
        return writer.close()


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
            if units.max() >= clusters:
                raise MismatchError(
                    f"{split.units_path}: utterance '{utterance_id}' has unit {units.max()}, but the k-means in "
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
