"""Multilingual TEDx: talks in 8 languages and translations into some. --root is the release's folder, or its SRC-TGT.

    SRC-TGT/data/SPLIT/txt/SPLIT.yaml, SPLIT.SRC, SPLIT.TGT     and the talks, SRC-TGT/data/SPLIT/wav/*.flac

The splits are train, dev (there called valid), test, and others such as iwslt2021 as test_iwslt2021. Rows that have a
transcript alone (for speech recognition) are left out and counted as `no translation`.
"""

from dataclasses import dataclass
from pathlib import Path

from ..files.manifest import Utterance
from ..files.program.options import option
from .releases.talks import read_pairs

SUMMARY = "Multilingual TEDx: talks in es, fr, pt, it, ru, el to en and others"


@dataclass(frozen=True)
class MtedxOptions:
    """Options beside those of all corpora."""

    src_lang: str = option("language of the talks, such as es", metavar="SRC")
    tgt_lang: tuple[str, ...] = option("language or languages to translate into, such as en", metavar="TGT")


OPTIONS = MtedxOptions


def read_splits(root: Path, options: MtedxOptions) -> dict[str, list[Utterance]]:
    """Rows of every split.

    Raises:
        ManifestError: a folder or file is missing, or is not in its form.
    """
    return read_pairs(root, options.src_lang, options.tgt_lang)
