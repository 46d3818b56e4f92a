"""MuST-C, versions 1 to 3: English TED talks and their translations. --root is the release's folder, or its en-XX.

    en-XX/data/SPLIT/txt/SPLIT.yaml, SPLIT.en, SPLIT.XX     and the talks, en-XX/data/SPLIT/wav/*.wav

The splits are train, dev, and the others as test_tst-COMMON, test_tst-HE and so on. With several target languages the
manifests hold the rows of all of them.
"""

import argparse

from ..manifest import Utterance
from .talks import read_pairs

SUMMARY = "MuST-C v1 to v3, TED talks: English to 15 languages"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options beside those of all corpora."""
    parser.add_argument(
        "--tgt-lang", nargs="+", required=True, metavar="XX", help="language or languages to translate into, such as de"
    )


def read_splits(arguments: argparse.Namespace) -> dict[str, list[Utterance]]:
    """Rows of every split.

    Raises:
        ManifestError: a folder or file is missing, or is not in its form.
    """
    return read_pairs(arguments.root, "en", arguments.tgt_lang)
