"""BLEU during training: sufficient statistics of a batch, summed over batches and workers."""

from collections.abc import Callable

from fairseq.logging import metrics
from fairseq.logging.meters import MetersDict
from sacrebleu.metrics import BLEU
from sacrebleu.metrics.bleu import BLEUScore

MAX_ORDER = 4


def bleu_statistics(
    hypotheses: list[str], references: list[str], example_languages: list[str], languages: list[str]
) -> dict[str, float]:
    """Lengths and n-gram counts of detokenised text, as flat numbers that fairseq sums over workers.

    Args:
        hypotheses, references: parallel; both may be empty.
        example_languages: the target language of each; not read where there is one.
        languages: all target languages; with several there are statistics of each besides those of all examples.
    """
    statistics = _statistics(hypotheses, references, _names())
    for language in languages if len(languages) > 1 else []:
        rows = [row for row, found in enumerate(example_languages) if found == language]
        chosen = [hypotheses[row] for row in rows], [references[row] for row in rows]
        statistics |= _statistics(chosen[0], chosen[1], _names(language))
    return statistics


def log_bleu(logging_outputs: list[dict[str, float]], languages: list[str]) -> None:
    """Log `bleu`, and beside it `bleu_bp` (brevity penalty) and `bleu_ratio` (hypothesis length / reference length).

    With several target languages also the BLEU of each, such as `bleu_de`.
    """
    if not logging_outputs or _names()[0] not in logging_outputs[0]:
        return
    groups = ["", *languages] if len(languages) > 1 else [""]
    for name in (name for group in groups for name in _names(group)):
        metrics.log_scalar_sum(name, float(sum(log[name] for log in logging_outputs)))
    for group in groups:
        metrics.log_derived(f"bleu_{group}".rstrip("_"), _from_sums(lambda score: round(score.score, 2), group))
    metrics.log_derived("bleu_bp", _from_sums(lambda score: round(score.bp, 3)))
    metrics.log_derived("bleu_ratio", _from_sums(lambda score: round(score.sys_len / max(score.ref_len, 1), 3)))


def _statistics(hypotheses: list[str], references: list[str], names: list[str]) -> dict[str, float]:
    if not hypotheses:
        return dict.fromkeys(names, 0)
    score = BLEU().corpus_score(hypotheses, [references])
    return dict(zip(names, [score.sys_len, score.ref_len, *score.counts, *score.totals], strict=True))


def _names(language: str = "") -> list[str]:
    orders = range(1, MAX_ORDER + 1)
    # fairseq leaves names that start with an underscore out of the log line
    prefix = f"_bleu_{language}" if language else "_bleu"
    ngrams = (f"{prefix}_{kind}_{n}" for kind in ("counts", "totals") for n in orders)
    return [f"{prefix}_sys_len", f"{prefix}_ref_len", *ngrams]


def _from_sums(value: Callable[[BLEUScore], float], language: str = "") -> Callable[[MetersDict], float]:
    def compute(meters: MetersDict) -> float:
        sys_len, ref_len, *ngrams = (int(meters[name].sum) for name in _names(language))
        score = BLEU.compute_bleu(
            correct=ngrams[:MAX_ORDER], total=ngrams[MAX_ORDER:], sys_len=sys_len, ref_len=ref_len, smooth_method="exp"
        )
        return value(score)

    return compute
