"""Share of equally good systems that tests call different: 5 % by a calibrated test at p < 0.05.

    python examples/benchmarks/equal_systems.py [--sentences 100 500] [--pairs 1000] [--draws 1000] [--seed 1]

Systems write sentences of random words with faults: words that are replaced, left out, or added. Pairs of them:

alike              the same faults are as likely in both
short and long     one leaves words out, the other adds some and replaces more; BLEU over all sentences is equal
three sentences    outputs that are the same but for three sentences, in which they are alike
other seeds        trainings of one system, of which some happen to be better than others

Tests, by BLEU: p and paired-bs p of `hmst score`, that of sacreBLEU's --paired-ar, and for other seeds that over three
trainings of each. "interval" is the share of pairs whose 95 % confidence interval of the difference does not hold 0.
"""

import argparse
import bisect
import functools
import itertools
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics import BLEU
from sacrebleu.significance import PairedTest, Result

from fairseq_hmst.score.comparison import ResamplingOptions, compare_by
from fairseq_hmst.score.trainings import compare_trainings

LEVEL, TRAININGS = 0.05, 3
Texts = list[str]


class TestSet(NamedTuple):
    """Outputs of two equally good systems for some sentences.

    Attributes:
        references: of the sentences.
        first, own: an output of each training of the two.
    """

    references: Texts
    first: list[Texts]
    own: list[Texts]


class RememberedBleu(BLEU):
    """sacreBLEU's metric, which counts a hypothesis with its reference once."""

    def _extract_corpus_statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]
    ) -> list[list[int]]:
        return [self._counted(*pair) for pair in zip(hypotheses, references[0], strict=True)]

    @functools.cache  # noqa: B019 (there is one metric)
    def _counted(self, hypothesis: str, reference: str) -> list[int]:
        (counts,) = super()._extract_corpus_statistics([hypothesis], [[reference]])
        return [*counts]


METRIC = RememberedBleu(force=True)


class Corpus:
    """Random sentences, and systems that write them with faults.

    Args:
        seed: of all draws.
        sentences: of which test sets are drawn.
    """

    def __init__(self, seed: int, sentences: int = 2000) -> None:
        self.draw = np.random.default_rng(seed)
        self._words = np.array([f"w{rank}" for rank in range(5000)])
        self._sentences = [self._random_words(length) for length in self.draw.integers(5, 25, sentences)]
        self._difficulty = self.draw.gamma(3, 1 / 3, sentences)  # mean 1: what is hard for one system is for all
        self.references = [" ".join(words) for words in self._sentences]

    def system(self, replaced: float = 0.3, left_out: float = 0.05, added: float = 0.03) -> Texts:
        """A system's sentences, by its shares of words with each fault."""
        texts = []
        for sentence, difficulty in zip(self._sentences, self._difficulty, strict=True):
            size = len(sentence)
            words = np.where(self.draw.random(size) < replaced * difficulty, self._random_words(size), sentence)
            words = words[self.draw.random(size) >= left_out]
            places = self.draw.integers(0, len(words) + 1, self.draw.binomial(size, added))
            texts.append(" ".join(np.insert(words, places, self._random_words(len(places)))))
        return texts

    def test_sets(self, sentences: int) -> Iterator[NDArray[np.int64]]:
        """Numbers of the sentences of one test set after another, without end."""
        while True:
            yield self.draw.integers(len(self.references), size=sentences)

    def score(self, texts: Texts) -> float:
        """BLEU of all sentences."""
        return float(METRIC.corpus_score(texts, [self.references]).score)

    def _random_words(self, number: int) -> NDArray[np.str_]:
        return self._words[np.minimum(self.draw.zipf(1.5, number), len(self._words)) - 1]


def alike(corpus: Corpus, sentences: int) -> Iterator[TestSet]:
    """Two of four outputs of one system, drawn for each sentence."""
    outputs = [corpus.system() for _ in range(4)]
    for numbers in corpus.test_sets(sentences):
        systems = [corpus.draw.permutation(4)[:2] for _ in numbers]
        first, own = ([outputs[pair[which]][n] for n, pair in zip(numbers, systems, strict=True)] for which in (0, 1))
        yield TestSet(_of(corpus.references, numbers), [first], [own])


def short_and_long(corpus: Corpus, sentences: int) -> Iterator[TestSet]:
    """A system that leaves words out, and one that adds some."""
    short, good, bad = corpus.system(0.27, 0.15, 0), corpus.system(0.27, 0, 0.1), corpus.system(0.47, 0, 0.1)
    end = bisect.bisect_left(range(len(short)), corpus.score(short), key=lambda n: corpus.score(good[:n] + bad[n:]))
    long = good[:end] + bad[end:]
    for numbers in corpus.test_sets(sentences):
        yield TestSet(_of(corpus.references, numbers), [_of(short, numbers)], [_of(long, numbers)])


def three_sentences(corpus: Corpus, sentences: int) -> Iterator[TestSet]:
    """Outputs that differ in three sentences."""
    for references, (first,), (own,) in alike(corpus, sentences):
        yield TestSet(references, [first], [own[:3] + first[3:]])


def other_seeds(corpus: Corpus, sentences: int) -> Iterator[TestSet]:
    """Two times three of twelve trainings."""
    trainings = [corpus.system(replaced) for replaced in corpus.draw.normal(0.3, 0.03, 12)]
    for numbers in corpus.test_sets(sentences):
        found = [_of(trainings[number], numbers) for number in corpus.draw.permutation(12)[: 2 * TRAININGS]]
        yield TestSet(_of(corpus.references, numbers), found[:TRAININGS], found[TRAININGS:])


def _of(texts: Texts, numbers: NDArray[np.int64]) -> Texts:
    return [texts[number] for number in numbers]


PAIRS: dict[str, Callable[[Corpus, int], Iterator[TestSet]]] = {
    "alike": alike,
    "short and long": short_and_long,
    "three sentences": three_sentences,
    "other seeds": other_seeds,
}


def findings(test_set: TestSet, draws: int, seed: int) -> dict[str, bool]:
    """Test -> whether it calls the systems different."""
    systems = {"first": test_set.first[0], "own": test_set.own[0]}
    options = ResamplingOptions(resamples=draws, trials=draws, seed=seed)
    found = compare_by(METRIC, systems, test_set.references, options)["own"]
    assert found.p_value is not None and found.paired_bs_p_value is not None and found.difference_interval is not None
    low, high = found.difference_interval
    different = {
        "p": found.p_value < LEVEL,
        "paired-bs p": found.paired_bs_p_value < LEVEL,
        "--paired-ar": _sacrebleu_randomization(systems, test_set.references, draws) < LEVEL,
        "interval": not low <= 0 <= high,
    }
    if len(test_set.own) > 1:
        first, own = ([_score(texts, test_set.references) for texts in part] for part in (test_set.first, test_set.own))
        different["p over trainings"] = (compare_trainings(own, first).p_value or 0.0) < LEVEL
    return different


def shares(kind: str, sentences: int, pairs: int, draws: int, seed: int) -> dict[str, float]:
    """Test -> share of pairs that it calls different."""
    found: dict[str, list[bool]] = defaultdict(list)
    for number, test_set in enumerate(itertools.islice(PAIRS[kind](Corpus(seed), sentences), pairs)):
        for name, different in findings(test_set, draws, seed + number).items():
            found[name].append(different)
    return {name: statistics.mean(values) for name, values in found.items()}


def _score(texts: Texts, references: Texts) -> float:
    return float(METRIC.corpus_score(texts, [references]).score)


def _sacrebleu_randomization(systems: dict[str, Texts], references: Texts, draws: int) -> float:
    _, results = PairedTest([*systems.items()], {"BLEU": METRIC}, [references], "ar", draws)()
    found = results["BLEU"][1]
    assert isinstance(found, Result) and found.p_value is not None
    return found.p_value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, nargs="+", default=[100, 500], help="of a test set; default 100 500")
    parser.add_argument("--pairs", type=int, default=1000, help="of equal systems; default 1000")
    parser.add_argument("--draws", type=int, default=1000, help="of a test; default 1000")
    parser.add_argument("--seed", type=int, default=1, help="1 or more; default 1")
    arguments = parser.parse_args()
    for kind, sentences in itertools.product(PAIRS, arguments.sentences):
        found = shares(kind, sentences, arguments.pairs, arguments.draws, arguments.seed)
        tests = "  ".join(f"{name} {share:.3f}" for name, share in found.items())
        print(f"{kind}, {sentences} sentences, {arguments.pairs} pairs: {tests}", flush=True)


if __name__ == "__main__":
    main()
