"""BLEU and chrF of systems on one test set, alone and compared with the first system by paired bootstrap."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from .texts import ScoreError

DEFAULT_TOKENIZER = BLEU.TOKENIZER_DEFAULT
TOKENIZERS = tuple(BLEU.TOKENIZERS)
DEFAULT_RESAMPLES, DEFAULT_SEED = 1000, 12345  # sacreBLEU's


@dataclass(frozen=True)
class CorpusScore:
    """Scores of one system on one test set.

    Attributes:
        bleu, chrf: 0 to 100.
        bp: BLEU's brevity penalty, 0 to 1.
        length_ratio: hypothesis length over reference length, in words as BLEU counts them.
        sentences: how many were scored.
        bleu_signature, chrf_signature: sacreBLEU's own.
    """

    bleu: float
    chrf: float
    bp: float
    length_ratio: float
    sentences: int
    bleu_signature: str
    chrf_signature: str

    def as_dict(self) -> dict[str, float | int | str]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """How sure a metric's score and its difference from the first system's are; from one paired bootstrap.

    Attributes:
        interval: half the width of the 95 % confidence interval of the score.
        p_value: of a difference as large by chance; None for the first system, which the others are compared with.
        signature: sacreBLEU's own, with resamples and seed.
    """

    interval: float
    p_value: float | None
    signature: str


def score_corpus(
    hypotheses: Sequence[str], references: Sequence[str], tokenizer: str = DEFAULT_TOKENIZER
) -> CorpusScore:
    """Score plain, detokenised text; the sequences are parallel."""
    bleu_metric, chrf_metric = _metrics(tokenizer).values()
    bleu = bleu_metric.corpus_score(hypotheses, [references])
    chrf = chrf_metric.corpus_score(hypotheses, [references])
    return CorpusScore(
        bleu=bleu.score,
        chrf=chrf.score,
        bp=bleu.bp,
        length_ratio=bleu.sys_len / max(bleu.ref_len, 1),
        sentences=len(references),
        bleu_signature=str(bleu_metric.get_signature()),
        chrf_signature=str(chrf_metric.get_signature()),
    )


def compare_systems(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[str],
    tokenizer: str = DEFAULT_TOKENIZER,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = DEFAULT_SEED,
) -> dict[str, dict[str, Comparison]]:
    """Paired bootstrap (Koehn 2004) of all systems against the first, by sacreBLEU.

    Args:
        systems: name -> hypotheses, two systems or more.
        references: parallel to each system's hypotheses.
        tokenizer: of BLEU.
        resamples: test sets drawn.
        seed: of the draws, 1 or more.

    Returns:
        For each system its comparison by metric, `bleu` and `chrf`.

    Raises:
        ScoreError: the seed is below 1: sacreBLEU takes 0 for none.
    """
    if seed < 1:
        raise ScoreError(f"--seed must be 1 or more (sacreBLEU takes 0 for no seed), got {seed}")
    with _sacrebleu_seed(seed):
        test = PairedTest([*systems.items()], _metrics(tokenizer), [references], test_type="bs", n_samples=resamples)
        signatures, results = test()
    comparisons: dict[str, dict[str, Comparison]] = {system: {} for system in systems}
    for name, metric in {"bleu": "BLEU", "chrf": "chrF2"}.items():
        found: list[Any] = results[metric]
        for system, result in zip(systems, found, strict=True):
            p_value = None if result.p_value is None else float(result.p_value)
            if p_value is not None and result.score == found[0].score:
                p_value = (
                    1.0  # sacreBLEU counts larger differences, of which equal systems have none, and says 1 / 1001
                )
            comparisons[system][name] = Comparison(float(result.ci), p_value, str(signatures[metric]))
    return comparisons


def _metrics(tokenizer: str) -> dict[str, BLEU | CHRF]:
    return {"bleu": BLEU(tokenize=tokenizer), "chrf": CHRF()}


@contextmanager
def _sacrebleu_seed(seed: int) -> Iterator[None]:
    """sacreBLEU reads its seed from the environment alone."""
    name, before = "SACREBLEU_SEED", os.environ.get("SACREBLEU_SEED")
    os.environ[name] = str(seed)
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before
