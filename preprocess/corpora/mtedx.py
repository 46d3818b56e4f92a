"""Multilingual TEDx: talks in 8 languages and translations into some. --root is the release's folder, or its SRC-TGT.

    SRC-TGT/data/SPLIT/txt/SPLIT.yaml, SPLIT.SRC, SPLIT.TGT     and the talks, SRC-TGT/data/SPLIT/wav/*.flac

The splits are train, dev (there called valid), test, and others such as iwslt2021 as test_iwslt2021. Rows that have a
transcript alone (for speech recognition) are left out and counted as `no translation`.
"""

import argparse

from ..manifest import Utterance
from .talks import read_pairs

SUMMARY = "Multilingual TEDx: talks in es, fr, pt, it, ru, el to en and others"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options beside those of all corpora."""
    parser.add_argument("--src-lang", required=True, metavar="SRC", help="language of the talks, such as es")
    parser.add_argument(
        "--tgt-lang",
        nargs="+",
        required=True,
        metavar="TGT",
        help="language or languages to translate into, such as en",
    )


def read_splits(arguments: argparse.Namespace) -> dict[str, list[Utterance]]:
    """Rows of every split.

    Raises:
        ManifestError: a folder or file is missing, or is not in its form.
    """
    return read_pairs(arguments.root, arguments.src_lang, arguments.tgt_lang)
