"""Word errors of a CTC on the transcript, decoded greedily."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torchaudio.functional import edit_distance

from .head_losses import Distribution


def count_word_errors(
    distribution: Distribution, blank_index: int, transcripts: Sequence[str], text_of: Callable[[Tensor], str]
) -> dict[str, Tensor]:
    """Errors and words of each example, on the CPU.

    Args:
        distribution: what the head predicts for some rows of the batch.
        blank_index: id of the blank among its labels.
        transcripts: of all B examples; those of rows that the head does not predict are not read.
        text_of: plain text of labels (N,) without blanks.

    Returns:
        `source_word_errors` (B,): insertions, deletions and substitutions that turn the transcript into the best path;
        `source_words` (B,): words of the transcript. Both are 0 for rows that the head does not predict.
    """
    # padding, behind all labels, counts as blanks, which are left out
    best = distribution.log_probs.argmax(-1).masked_fill(distribution.padding_mask, blank_index)
    errors = torch.zeros(len(transcripts), dtype=torch.int64)
    words = torch.zeros_like(errors)
    for row, *labels in torch.cat([distribution.rows.unsqueeze(1), best], 1).tolist():  # one wait for a GPU
        path = torch.unique_consecutive(torch.tensor(labels))
        reference = transcripts[row].split()
        errors[row] = edit_distance(text_of(path[path != blank_index]).split(), reference)
        words[row] = len(reference)
    return {"source_word_errors": errors, "source_words": words}
