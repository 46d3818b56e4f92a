"""The stage `manifest`: a raw release -> train.tsv, dev.tsv, test.tsv and the like, one module a corpus.

A corpus module has `SUMMARY`, `add_arguments(parser)` and `read_splits(arguments) -> {split: [Utterance]}`, in which
every row was checked; --root is known to be there.
"""

import argparse
import importlib
from pathlib import Path

from ..card import VERSION, hash_file, write_card
from ..errors import ManifestError, OutputError
from ..manifest import Utterance, write_manifest
from ..outputs import whole_folder

CORPORA = ("tsv", "prompts")


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


def run(arguments: argparse.Namespace) -> None:
    """The stage `manifest`: raw release -> folder of manifests."""
    if not arguments.root.exists():
        raise ManifestError(f"--root {arguments.root} does not exist")
    if arguments.root.resolve().is_relative_to(arguments.out.resolve()):
        raise OutputError(f"--out {arguments.out} would replace --root {arguments.root}; name another folder")
    corpus = importlib.import_module(f".{arguments.corpus}", __name__)
    write_splits(arguments.out, arguments.corpus, corpus.read_splits(arguments))


def write_splits(folder: Path, corpus: str, splits: dict[str, list[Utterance]]) -> None:
    """Write one manifest a split, and a card with the number of rows, rows with audio and rows with transcript.

    Raises:
        OutputError: the folder cannot be written.
    """
    with whole_folder(folder) as temporary:
        for split, utterances in splits.items():
            write_manifest(temporary / f"{split}.tsv", utterances)
        counts = {
            split: {
                "rows": len(utterances),
                "with_audio": sum(utterance.audio is not None for utterance in utterances),
                "with_transcript": sum(bool(utterance.src_text) for utterance in utterances),
            }
            for split, utterances in splits.items()
        }
        hashes = {path.name: hash_file(path) for path in sorted(temporary.glob("*.tsv"))}
        write_card(
            temporary, {"stage": "manifest", "version": VERSION, "corpus": corpus, "counts": counts, "hashes": hashes}
        )
