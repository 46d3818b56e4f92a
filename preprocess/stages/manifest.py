"""The stage `manifest`: a raw release -> train.tsv, dev.tsv, test.tsv and the like.

OUT.errors.tsv names rows at fault that were left out, OUT.filtered.tsv the filtered ones. A split `mt` becomes external
text, mt.SRC-TGT.{SRC,TGT}. Each corpus has its own module and options.
"""

import argparse
import logging
from dataclasses import dataclass, field
from pathlib import Path

from ..corpora import CORPORA, FetchedCorpus, import_corpus
from ..corpora.rows.filters import FilterOptions, Filters
from ..corpora.rows.parallel_text import write_parallel_text
from ..corpora.rows.selection import Selection, select_rows
from ..corpora.rows.summary import Selections, make_card, summary, warn_of_alike_languages, warn_of_incomplete_tests
from ..errors import ManifestError, PreprocessError
from ..files.cards.stage_cards import ManifestCard
from ..files.faults import FaultOptions, report_faults, write_faults
from ..files.manifest import write_manifest
from ..files.outputs.held import held_folder
from ..files.outputs.place import inputs_of
from ..files.outputs.replacing import LISTS, list_path_of_run
from ..files.program.options import add_options, read_options
from ..files.reading.obstacle import find_obstacle
from ..files.whole import whole_folder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ManifestOptions:
    """Options of the stage `manifest`.

    Attributes:
        corpus: name of the corpus, one of CORPORA.
        out: folder to write.
        corpus_options: of the corpus, its module's OPTIONS.
        filters: of rows of train.
        faults: rows that cannot be used.
    """

    corpus: str
    out: Path
    corpus_options: object
    filters: FilterOptions = field(default_factory=FilterOptions)
    faults: FaultOptions = field(default_factory=FaultOptions)

    def __post_init__(self) -> None:
        """Check the corpus and the kind of its options.

        Raises:
            PreprocessError: the corpus is unknown, or the options are those of another.
        """
        if self.corpus not in CORPORA:
            raise PreprocessError(f"corpus must be one of {', '.join(CORPORA)}, got '{self.corpus}'")
        kind = import_corpus(self.corpus).OPTIONS
        if not isinstance(self.corpus_options, kind):
            found = type(self.corpus_options).__name__
            raise PreprocessError(f"options of the corpus {self.corpus} must be {kind.__name__}, got {found}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the stage `manifest`: one subcommand a corpus."""
    subparsers = parser.add_subparsers(dest="corpus", required=True, metavar="CORPUS")
    for name in CORPORA:
        corpus = import_corpus(name)
        subparser = subparsers.add_parser(
            name,
            help=corpus.SUMMARY,
            description=corpus.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        subparser.add_argument("--root", type=Path, required=True, help="the raw release")
        subparser.add_argument("--out", type=Path, required=True, help="folder to write")
        for options in (corpus.OPTIONS, FaultOptions, FilterOptions):
            add_options(subparser, options)


def options_of(arguments: argparse.Namespace) -> ManifestOptions:
    """The options of a command line."""
    return ManifestOptions(
        arguments.corpus,
        arguments.out,
        read_options(import_corpus(arguments.corpus).OPTIONS, arguments),
        read_options(FilterOptions, arguments),
        read_options(FaultOptions, arguments),
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the stage `manifest` with the options of a command line."""
    make_manifests(arguments.root, options_of(arguments))


def make_manifests(root: Path, options: ManifestOptions) -> ManifestCard:
    """Write the manifests of a release, print their table, and return the card of their folder.

    Args:
        root: the raw release.
        options: of the stage.

    Raises:
        ManifestError: the release is missing or not in its form, or no row of a split is left.
        PreprocessError: rows are at fault, of which the error lists the first, or more than --max-errors allows.
        OutputError: `out` holds `root`, or cannot be written.
    """
    with held_folder(options.out, ManifestCard, inputs_of(root, options.corpus_options)):
        corpus = import_corpus(options.corpus)
        fetched = corpus if isinstance(corpus, FetchedCorpus) else None
        if fetched is not None and getattr(options.corpus_options, "fetch", False):
            fetched.fetch(root, options.corpus_options)
        if not root.exists():
            obstacle = find_obstacle(root)
            advice = obstacle.advice if obstacle is not None else ""
            raise ManifestError(f"--root {root} does not exist", advice="--fetch makes it" if fetched else advice)
        splits = corpus.read_splits(root, options.corpus_options)
        if not any(splits.values()):
            raise ManifestError("it has no row of train, dev or a test set", place=root)
        filters = Filters(options.filters).fitted(splits.get("train", ()))
        selections = {
            split: select_rows(split, rows, filters if split == "train" else Filters())
            for split, rows in splits.items()
        }
        write_left_out(options.out, selections, options.faults)
        made = drop_unmade(selections, options.faults)
        card = write_splits(options.out, options.corpus, made, filters)
    warn_of_alike_languages(made)
    warn_of_incomplete_tests(selections)
    print(summary(selections))
    return card


def write_left_out(out: Path, selections: Selections, options: FaultOptions) -> None:
    """Write OUT.filtered.tsv and OUT.errors.tsv, each if there is something to name; they stay where OUT fails.

    Raises:
        PreprocessError: more rows are at fault than the options allow.
    """
    filtered = [row for selection in selections.values() for row in selection.filtered]
    write_faults(list_path_of_run(out, "filtered"), filtered)
    unmade = [row for selection in selections.values() for row in selection.unmade]
    faults = [row for selection in selections.values() for row in selection.faults]
    num_rows = sum(selection.num_rows for selection in selections.values())
    report_faults(out, faults, num_rows, options, unmade)


def drop_unmade(selections: Selections, options: FaultOptions) -> Selections:
    """The splits that can be made; with --on-error skip the others are named by a warning.

    Raises:
        ManifestError: no row of a split is left, and faults are not skipped; or no split can be made.
    """
    named = {split: selection for split, selection in selections.items() if split != "mt"}
    unmade = {split: selection for split, selection in named.items() if not selection.kept}
    for split, selection in unmade.items():
        was_lost = bool(selection.faults or selection.unmade)  # and not filtered
        if not (options.skips and was_lost) or len(unmade) == len(named):
            raise ManifestError(_why_unmade(selection), place=split)
        logger.warning("%s cannot be made and is left out: %s", split, _why_unmade(selection))
    return {split: selection for split, selection in selections.items() if split not in unmade}


def _why_unmade(selection: Selection) -> str:
    if selection.unmade:
        return "; ".join(str(fault.as_error()) for fault in selection.unmade)
    reasons = [f"{number} {reason}" for reason, number in selection.filtered_counts().items()]
    return (
        f"none of its {selection.num_rows} rows is left: {', '.join(reasons) or 'none was filtered'}, "
        f"{len(selection.faults)} at fault"
    )


def write_splits(folder: Path, corpus: str, selections: Selections, filters: Filters) -> ManifestCard:
    """Write one manifest a split, and a card.

    Raises:
        OutputError: the folder cannot be written.
    """
    with whole_folder(folder, ManifestCard, lists=LISTS) as temporary:
        for split, selection in selections.items():
            if split == "mt":
                write_parallel_text(temporary, split, selection.kept)
            else:
                write_manifest(temporary / f"{split}.tsv", selection.kept)
        card = make_card(temporary, corpus, selections, filters)
        card.write(temporary)
    return card
