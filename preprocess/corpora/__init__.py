"""The stage `manifest`: a raw release -> train.tsv, dev.tsv, test.tsv and the like, one module a corpus.

A corpus module has `SUMMARY`, `add_arguments(parser)` and `read_splits(arguments) -> {split: [Utterance]}`: all rows as
the release has them, best as `rows.Row`, which says where each stands; --root is known to be there. What is the same
for all corpora is done here: checks, filters, leaving out rows at fault. OUT.errors.tsv names these, OUT.filtered.tsv
the filtered ones. A file that is not in its form (other columns, line counts that differ) is an error of the module.
Rows of a split `mt`, without audio, become external text, mt.SRC-TGT.{SRC,TGT}. A module that can make --root has an
option --fetch and for it `fetch(arguments)`.
"""

import argparse
import importlib
from pathlib import Path

from ..card import write_card
from ..errors import ManifestError, OutputError
from ..faults import add_fault_arguments, check_max_errors, check_share, faults_path, write_faults
from ..lock import one_at_a_time
from ..manifest import write_manifest
from ..outputs import whole_folder
from .filters import Filters, add_filter_arguments
from .parallel_text import write_parallel_text
from .report import Selections, make_card, summary, warn_of_incomplete_tests
from .selection import select_rows

CORPORA = ("tsv", "must_c", "covost2", "mtedx", "fish_fillets", "libreoffice_help", "prompts")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the stage `manifest`: one subcommand a corpus."""
    subparsers = parser.add_subparsers(dest="corpus", required=True, metavar="CORPUS")
    for name in CORPORA:
        corpus = importlib.import_module(f".{name}", __name__)
        subparser = subparsers.add_parser(
            name,
            help=corpus.SUMMARY,
            description=corpus.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        subparser.add_argument("--root", type=Path, required=True, help="the raw release")
        subparser.add_argument("--out", type=Path, required=True, help="folder to write")
        corpus.add_arguments(subparser)
        add_fault_arguments(subparser)
        add_filter_arguments(subparser)


@one_at_a_time
def run(arguments: argparse.Namespace) -> None:
    """The stage `manifest`: raw release -> folder of manifests."""
    if arguments.root.resolve().is_relative_to(arguments.out.resolve()):
        raise OutputError(f"--out {arguments.out} would replace --root {arguments.root}; name another folder")
    check_max_errors(arguments.max_errors)
    filters = Filters.from_arguments(arguments)
    corpus = importlib.import_module(f".{arguments.corpus}", __name__)
    if getattr(arguments, "fetch", False):
        corpus.fetch(arguments)
    if not arguments.root.exists():
        hint = "; --fetch makes it" if hasattr(corpus, "fetch") else ""
        raise ManifestError(f"--root {arguments.root} does not exist{hint}")
    splits = corpus.read_splits(arguments)
    if not any(splits.values()):
        raise ManifestError(f"{arguments.root}: it has no row of train, dev or a test set")
    filters = filters.fitted(splits.get("train", ()))
    selections = {
        split: select_rows(split, rows, filters if split == "train" else Filters(), arguments.on_error)
        for split, rows in splits.items()
    }
    write_left_out(arguments.out, selections, arguments.max_errors)
    write_splits(arguments.out, arguments.corpus, selections, filters)
    warn_of_incomplete_tests(selections)
    print(summary(selections))


def write_left_out(out: Path, selections: Selections, max_errors: float) -> None:
    """Write OUT.filtered.tsv and OUT.errors.tsv, each if there is something to name; they stand also where OUT fails.

    Raises:
        PreprocessError: the share of rows at fault is above `max_errors`.
    """
    filtered = [row for selection in selections.values() for row in selection.filtered]
    faults = [row for selection in selections.values() for row in selection.faults]
    write_faults(out.with_name(f"{out.name}.filtered.tsv"), filtered)
    write_faults(faults_path(out), faults)
    check_share(faults, sum(selection.num_rows for selection in selections.values()), max_errors)


def write_splits(folder: Path, corpus: str, selections: Selections, filters: Filters) -> None:
    """Write one manifest a split, and a card.

    Raises:
        ManifestError: no row of a split is left.
        OutputError: the folder cannot be written.
    """
    for split, selection in selections.items():
        if not selection.kept and split != "mt":
            reasons = [f"{number} {reason}" for reason, number in selection.filtered_counts().items()]
            raise ManifestError(
                f"{split}: none of its {selection.num_rows} rows is left: {', '.join(reasons) or 'none was filtered'}, "
                f"{len(selection.faults)} at fault"
            )
    with whole_folder(folder) as temporary:
        for split, selection in selections.items():
            if split == "mt":
                write_parallel_text(temporary, split, selection.kept)
            else:
                write_manifest(temporary / f"{split}.tsv", selection.kept)
        write_card(temporary, make_card(temporary, corpus, selections, filters))
