"""Steps of a source that CTC needs for its labels; `fairseq_hmst.losses.ctc_loss` has the same for padded tensors."""

import numpy as np


def needed_for_ctc(labels: np.ndarray) -> int:
    """Shortest source that CTC can align with `labels` (ids without </s>). A blank must part equal neighbours."""
    return len(labels) + int(np.count_nonzero(is_repeated(labels)))


def is_repeated(labels: np.ndarray) -> np.ndarray:
    """Mask of labels equal to the one before them, (N,) bool; CTC needs a blank before each."""
    mask = np.zeros(len(labels), dtype=bool)
    mask[1:] = labels[1:] == labels[:-1]
    return mask
