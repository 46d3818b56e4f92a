"""The log of hmst_joint: means over batches and processes, by stream and head."""

import math
from collections.abc import Sequence

from fairseq.logging import metrics


def log_losses(logging_outputs: Sequence[dict[str, float]]) -> None:
    """Log losses in bits per target token: `loss` (weighted), and by stream and head `st_loss`, `st_ctc_loss`...

    `st_rdrop_loss` (the weighted mean over heads) and `st_consistency_loss` are divergences before their weights.
    Besides, in validation, `st_accuracy` (share of right tokens under teacher forcing) and `st_source_wer` (word
    error rate of the source CTC's best path, in percent); and where there are any, `st_ctc_infeasible`: examples
    without a CTC path. Means are over the examples of which there is such a loss.
    """
    names = {name for log in logging_outputs for name in log}
    sums = {name: float(sum(log.get(name, 0) for log in logging_outputs)) for name in names}
    _log_bits("loss", sums["loss"], sums["sample_size"])
    for stream in sorted(name.removesuffix("_ntokens") for name in names if name.endswith("_ntokens")):
        num_tokens = sums[f"{stream}_ntokens"]
        if num_tokens == 0:
            continue
        for name in sorted(names):
            if name.startswith(f"{stream}_") and name.endswith(("_loss", "_nll")):
                of_head = sums.get(f"{name.removesuffix('loss')}tokens", num_tokens)
                if of_head > 0:
                    _log_bits(name, sums[name], of_head)
            elif name.startswith(f"{stream}_") and name.endswith("_infeasible") and sums[name] > 0:
                metrics.log_scalar_sum(name, sums[name], round=0)
        if f"{stream}_correct" in sums:
            accuracy = 100 * sums[f"{stream}_correct"] / num_tokens
            metrics.log_scalar(f"{stream}_accuracy", accuracy, num_tokens, round=2)
        if num_words := sums.get(f"{stream}_source_words", 0):
            error_rate = 100 * sums[f"{stream}_source_word_errors"] / num_words
            metrics.log_scalar(f"{stream}_source_wer", error_rate, num_words, round=2)


def _log_bits(name: str, nats: float, weight: float) -> None:
    metrics.log_scalar(name, nats / (weight or 1.0) / math.log(2), weight, round=3)
