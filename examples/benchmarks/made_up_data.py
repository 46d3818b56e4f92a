"""A data-bin of random sentences, which has the sizes of a real one: vocabularies and lengths, and nothing to learn.

    python examples/benchmarks/made_up_data.py --out DATA_BIN

By default the vocabularies are the paper's (4000 unit pieces, 4000 of source text, 4000 of target text), and a sentence
has 16 to 36 words: 80 to 210 tokens of speech, 65 to 250 of text repeated four times, 17 to 60 of the translation.
"""

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from preprocess.files.manifest import Utterance, write_manifest
from preprocess.stages.binarize import BinarizeOptions, make_data_bin
from preprocess.stages.subwords import SubwordsOptions, train_subwords

SHORTEST, LONGEST = 16, 36  # words of a sentence
PAIRS_PER_WORD = 5  # pairs of units in each word; frequent ones become pieces
SENTENCES_FOR_UNITS = 1000  # that the unit pieces are learned from, which takes long
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


class Lexicon:
    """Entries of which few are frequent (Zipf's law)."""

    def __init__(self, entries: np.ndarray, random: np.random.Generator) -> None:
        self._entries, self._random = entries, random
        self._sums = np.cumsum(1 / np.arange(1, len(entries) + 1))

    def draw(self, count: int) -> np.ndarray:
        """Random entries (count, ...)."""
        ranks = np.searchsorted(self._sums, self._random.uniform(0, self._sums[-1], count))
        return self._entries[ranks]


def make_words(count: int, random: np.random.Generator) -> np.ndarray:
    """Different words of two to four syllables."""
    words: dict[str, None] = {}  # in order
    while len(words) < count:
        words["".join(random.choice(SYLLABLES, random.integers(2, 5)))] = None
    return np.array(list(words))


def write_corpus(folder: Path, sentences: dict[str, int], clusters: int, pieces: int) -> None:
    """Write manifests and units of each split."""
    random = np.random.default_rng(0)
    unit_pairs = Lexicon(random.integers(0, clusters, (2 * clusters, 2)), random)
    source, target = (Lexicon(make_words(pieces * 5 // 4, random), random) for _ in range(2))

    def rows(split: str) -> Iterator[tuple[Utterance, list[int]]]:
        for number in range(sentences[split]):
            length = int(random.integers(SHORTEST, LONGEST + 1))
            texts = " ".join(source.draw(length)), " ".join(target.draw(length))
            units = unit_pairs.draw(length * PAIRS_PER_WORD).flatten()
            units = units[np.append(True, units[1:] != units[:-1])]
            yield Utterance(f"{split}-{number}", folder / "none.wav", 0.0, None, "en", "de", *texts, ""), units.tolist()

    for split in sentences:
        utterances, units = zip(*rows(split), strict=True)
        write_manifest(folder / f"{split}.tsv", utterances)
        lines = (f"{row.id}\t{' '.join(map(str, found))}\n" for row, found in zip(utterances, units, strict=True))
        (folder / f"{split}.units").write_text("".join(lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="data-bin to write")
    parser.add_argument("--sentences", type=int, default=6000, help="of train; a thirtieth each in dev and test")
    parser.add_argument("--clusters", type=int, default=2000, help="different units; default %(default)s")
    parser.add_argument("--pieces", type=int, default=4000, help="of each vocabulary; default %(default)s")
    arguments = parser.parse_args()
    sentences = {"train": arguments.sentences, "dev": arguments.sentences // 30, "test": arguments.sentences // 30}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_corpus(folder, sentences, arguments.clusters, arguments.pieces)
        with (folder / "train.units").open(encoding="utf-8") as train:
            (folder / "some.units").write_text("".join(itertools.islice(train, SENTENCES_FOR_UNITS)), encoding="utf-8")
        text, pieces = (folder / "train.tsv",), [arguments.pieces] * 3
        train_subwords(folder / "some.units", SubwordsOptions(folder / "subwords", text, text, *pieces))
        make_data_bin(BinarizeOptions(folder, folder, folder / "subwords", arguments.out))


if __name__ == "__main__":
    main()
