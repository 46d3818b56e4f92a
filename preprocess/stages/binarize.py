"""The stage `binarize`: manifests, units, external text and subwords -> a data-bin that fairseq-train is given.

The speech stream (st) has the rows with audio, in the order of the manifest, one at several speeds once at each; the
text stream (mt) all rows that have a source text, once, and then, in train only, the external text. The data-bin is
there whole or not at all.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ..data_bin.card import Contents, make_card, summary, write_infeasible
from ..data_bin.pruning import count_pieces
from ..data_bin.split_streams import SplitWriter
from ..errors import PreprocessError
from ..external_text.corpus import ExternalCorpus, ExternalTextOptions, load_external_text
from ..files.cards.data_bin_card import DataBinCard
from ..files.cards.units_cards import find_kmeans
from ..files.faults import FaultOptions, report_faults
from ..files.languages import find_language_symbols
from ..files.outputs.held import held_folder
from ..files.outputs.place import inputs_of
from ..files.program.options import add_options, option, read_options
from ..files.splits import check_unit_range, find_languages, load_splits
from ..files.whole import whole_folder
from ..vocabulary.dictionary import make_dictionaries
from ..vocabulary.models import Subwords
from ..vocabulary.token_encoder import TokenEncoder


@dataclass(frozen=True)
class BinarizeOptions:
    """Options of the stage `binarize`."""

    manifest_dir: Path = option("folder of train.tsv, dev.tsv, test*.tsv")
    units_dir: Path = option("folder of train.units, dev.units, test*.units")
    subwords: Path = option("folder that the stage subwords wrote")
    out: Path = option("data-bin to write")
    repeat: int = option("times each source-text token is written", 4)
    keep_all_pieces: bool = option(
        "with a text model: give all its pieces a line in the dictionaries, not only those that occur in the data",
        False,
    )
    kmeans: Path | None = option("folder of the k-means; default: where the units' cards say", None)
    external_text: ExternalTextOptions = field(default_factory=ExternalTextOptions)
    faults: FaultOptions = field(default_factory=FaultOptions)

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            PreprocessError: an option lies outside its range.
        """
        if self.repeat < 1:
            raise PreprocessError(f"--repeat must be at least 1, got {self.repeat}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the stage `binarize`."""
    add_options(parser, BinarizeOptions)


def options_of(arguments: argparse.Namespace) -> BinarizeOptions:
    """The options of a command line."""
    return read_options(BinarizeOptions, arguments)


def run(arguments: argparse.Namespace) -> None:
    """Run the stage `binarize` with the options of a command line."""
    make_data_bin(options_of(arguments))


def make_data_bin(options: BinarizeOptions) -> DataBinCard:
    """Write a data-bin, print its table, and return its card.

    Raises:
        PreprocessError: an option or an input cannot be used, or inputs do not fit together.
    """
    with held_folder(options.out, DataBinCard, inputs_of(options)):
        subwords = Subwords.load(options.subwords)
        if options.keep_all_pieces and subwords.text_model is None:
            raise PreprocessError(f"--keep-all-pieces is for subwords with a text model, {options.subwords} has none")
        splits = load_splits(options.manifest_dir, options.units_dir)
        languages = find_languages(splits)
        symbols = find_language_symbols(languages, subwords.text_model)
        cards = {split.units_path: split.units_card for split in splits if split.units}
        kmeans = find_kmeans(cards, options.kmeans, subwords.card.kmeans, str(options.subwords))
        if kmeans.folder is not None and kmeans.card is not None:
            check_unit_range(splits, kmeans.card.clusters, kmeans.folder)
        external = load_external_text(options.external_text, splits, languages)
        report_external_faults(options.out, external, options.faults)
        coverage = None
        if subwords.text_model is not None:
            coverage = count_pieces(subwords, splits, chain(*external), options.keep_all_pieces)
        dictionaries = make_dictionaries(subwords, symbols, None if coverage is None else coverage.kept)
        encoder = TokenEncoder(subwords, dictionaries, symbols, options.repeat)
        with whole_folder(options.out, DataBinCard, lists=["errors"]) as folder:
            dictionaries.write(folder)
            subwords.card.copy_files(options.subwords, folder / "subwords")
            if kmeans.folder is not None and kmeans.card is not None:
                kmeans.card.copy_files(kmeans.folder, folder / "kmeans")
            writer = SplitWriter(folder, encoder, external, has_target_languages=len(languages.target) > 1)
            counts = {split.name: writer.write(split) for split in splits}
            write_infeasible(folder / "ctc_infeasible.tsv", counts, options.out)
            entries = [corpus.as_entry() for corpus in external]
            contents = Contents(
                *(splits, languages, subwords, kmeans, dictionaries, symbols, coverage, options.repeat, entries)
            )
            card = make_card(folder, contents, counts)
            card.write(folder)
    print(summary(card, coverage))
    return card


def report_external_faults(out: Path, corpora: Sequence[ExternalCorpus], options: FaultOptions) -> None:
    """Write OUT.errors.tsv of what cannot be read of external text, if there is anything.

    Raises:
        PreprocessError: it is more than the options allow, or nothing is left of a corpus.
    """
    report_faults(
        out, [fault for corpus in corpora for fault in corpus.faults], sum(c.num_pairs for c in corpora), options
    )
    for corpus in corpora:
        corpus.check_not_empty()
