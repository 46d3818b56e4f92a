"""MuST-C, versions 1 to 3: English TED talks and their translations. --root is the release's folder, or its en-XX.

    en-XX/data/SPLIT/txt/SPLIT.yaml, SPLIT.en, SPLIT.XX     and the talks, en-XX/data/SPLIT/wav/*.wav

The splits are train, dev, and the others as test_tst-COMMON, test_tst-HE and so on. With several target languages the
manifests hold the rows of all of them.
"""

from dataclasses import dataclass
from pathlib import Path

from ..files.manifest import Utterance
from ..files.program.options import option
from .releases.talks import read_pairs

SUMMARY = "MuST-C v1 to v3, TED talks: English to 15 languages"


@dataclass(frozen=True)
class MustCOptions:
    """Options beside those of all corpora."""

    tgt_lang: tuple[str, ...] = option("language or languages to translate into, such as de", metavar="XX")


OPTIONS = MustCOptions


def read_splits(root: Path, options: MustCOptions) -> dict[str, list[Utterance]]:
    """Rows of every split.

    Raises:
        ManifestError: a folder or file is missing, or is not in its form.
    """
    return read_pairs(root, "en", options.tgt_lang)
