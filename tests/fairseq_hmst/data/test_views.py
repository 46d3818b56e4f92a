"""Which tokens of two views stand for the same, by hand."""

import numpy as np
import torch

from fairseq_hmst.data.views import PieceLengths, shared_steps


def test_shared_steps_by_hand():
    assert shared_steps(np.array([1, 1, 1]), np.array([1, 1, 1])).tolist() == [[0, 0], [1, 1], [2, 2]]
    #  ab|c|def|$  and  a|bcd|ef|$
    assert shared_steps(np.array([2, 1, 3, 1]), np.array([1, 3, 2, 1])).tolist() == [
        [0, 0],
        [0, 1],
        [1, 1],
        [2, 1],
        [2, 2],
        [3, 3],
    ]
    assert shared_steps(np.array([0, 2, 1]), np.array([2, 1])).tolist() == [[1, 0], [2, 1]]  # one without a part


def test_lengths_of_repeated_tokens_sum_to_those_of_their_characters():
    lengths = PieceLengths(np.array([0, 0, 1, 0, 0, 3, 5]), repeat=4)
    speech = lengths.of_source(torch.tensor([9, 5, 6, 5, 2]), (1, 1), None)
    assert speech.tolist() == [1, 3, 5, 3, 1]
    for counts in ([4, 4], [3, 5], [1, 7], [20, 1]):
        tokens = torch.tensor([*[5] * counts[0], *[6] * counts[1], 2])
        found = lengths.of_source(tokens, (0, 1), np.array(counts))
        assert found[: counts[0]].sum() == 12
        assert found[counts[0] : -1].sum() == 20
        assert found[-1] == 1
        assert np.ptp(found[: counts[0]]) <= 1
