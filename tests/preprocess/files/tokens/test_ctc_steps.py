"""How long a source must be for CTC, against torch's loss and by hand."""

import numpy as np
import torch

from preprocess.files.tokens.ctc_steps import is_repeated, needed_for_ctc


def test_the_length_that_ctc_needs_is_where_torchs_loss_becomes_finite():
    for labels in ([1], [1, 2, 3], [1, 1], [1, 1, 1, 2, 2], [2, 1, 2, 1]):
        needed = needed_for_ctc(np.array(labels))
        for length in range(1, 10):
            log_probs = torch.zeros(length, 1, 4).log_softmax(-1)
            loss = torch.nn.functional.ctc_loss(
                log_probs, torch.tensor([labels]), torch.tensor([length]), torch.tensor([len(labels)]), reduction="sum"
            )
            assert bool(torch.isfinite(loss)) == (length >= needed)
    assert needed_for_ctc(np.array([], dtype=np.int64)) == 0


def test_repeated_labels_are_those_equal_to_the_one_before():
    assert is_repeated(np.array([4, 4, 4, 5, 4, 5, 5])).tolist() == [False, True, True, False, False, False, True]
    assert is_repeated(np.array([], dtype=np.int64)).tolist() == []
