"""BLEU during training: sufficient statistics of a batch, summed over batches and workers."""

from collections.abc import Callable
from typing import Any

from fairseq.logging import metrics
from sacrebleu.metrics import BLEU

MAX_ORDER = 4


def bleu_statistics(hypotheses: list[str], references: list[str]) -> dict[str, float]:
    """Lengths and n-gram counts of detokenised text, as flat numbers that fairseq sums over workers."""
    if not hypotheses:
        return dict.fromkeys(_names(), 0)
    score = BLEU().corpus_score(hypotheses, [references])
    return dict(zip(_names(), [score.sys_len, score.ref_len, *score.counts, *score.totals], strict=True))


def log_bleu(logging_outputs: list[dict[str, Any]]) -> None:
    """Log `bleu`, and beside it `bleu_bp` (brevity penalty) and `bleu_ratio` (hypothesis length / reference length)."""
    if not logging_outputs or _names()[0] not in logging_outputs[0]:
        return
    for name in _names():
        metrics.log_scalar_sum(name, float(sum(log[name] for log in logging_outputs)))
    metrics.log_derived("bleu", _from_sums(lambda score: round(score.score, 2)))
    metrics.log_derived("bleu_bp", _from_sums(lambda score: round(score.bp, 3)))
    metrics.log_derived("bleu_ratio", _from_sums(lambda score: round(score.sys_len / max(score.ref_len, 1), 3)))


def _names() -> list[str]:
    orders = range(1, MAX_ORDER + 1)
    # fairseq leaves names that start with an underscore out of the log line
    return ["_bleu_sys_len", "_bleu_ref_len", *(f"_bleu_{kind}_{n}" for kind in ("counts", "totals") for n in orders)]


def _from_sums(value: Callable[[Any], float]) -> Callable[[Any], float]:
    def compute(meters: Any) -> float:
        sys_len, ref_len, *ngrams = (int(meters[name].sum) for name in _names())
        score = BLEU.compute_bleu(
            correct=ngrams[:MAX_ORDER], total=ngrams[MAX_ORDER:], sys_len=sys_len, ref_len=ref_len, smooth_method="exp"
        )
        return value(score)

    return compute
