"""Word errors of a CTC on the transcript, decoded greedily."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torchaudio.functional import edit_distance

from .head_losses import Distribution


def count_word_errors(
    distribution: Distribution, blank_index: int, transcripts: Sequence[str], text_of: Callable[[Tensor], str]
) -> dict[str, Tensor]:
    """Errors and words of each example.

    Args:
        distribution: what the head predicts for some rows of the batch.
        blank_index: id of the blank among its labels.
        transcripts: of all B examples; those of rows that the head does not predict are not read.
        text_of: plain text of labels (N,) without blanks.

    Returns:
        `source_word_errors` (B,): insertions, deletions and substitutions that turn the transcript into the best path;
        `source_words` (B,): words of the transcript. Both are 0 for rows that the head does not predict.
    """
    best = distribution.log_probs.argmax(-1)
    errors = torch.zeros(len(transcripts), dtype=torch.int64)
    words = torch.zeros_like(errors)
    for labels, is_padding, row in zip(best, distribution.padding_mask, distribution.rows.tolist(), strict=True):
        path = torch.unique_consecutive(labels[~is_padding])
        reference = transcripts[row].split()
        errors[row] = edit_distance(text_of(path[path != blank_index]).split(), reference)
        words[row] = len(reference)
    return {"source_word_errors": errors.to(best.device), "source_words": words.to(best.device)}
