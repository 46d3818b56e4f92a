"""Masks: their share and spans by counting, and what is never masked."""

import numpy as np
import pytest
import torch
from fairseq.data import Dictionary

from fairseq_hmst.data.variation.masks import Masks, mask_symbol

MASK = 99


@pytest.mark.parametrize(("share", "span"), [(0.1, 1.0), (0.3, 4.0), (0.5, 1.0), (0.75, 3.0)])
def test_each_token_is_masked_with_the_share_as_probability_in_stretches_of_the_span(share, span):
    masks, generator = Masks(share, span, "replace", MASK), np.random.default_rng(1)
    drawn = np.stack([masks.draw(30, generator) for _ in range(6000)])
    assert drawn.mean(0) == pytest.approx(np.full(30, share), abs=0.03)  # at the beginning as in the middle
    row = masks.draw(200_000, generator).astype(int)
    starts = np.flatnonzero(np.diff(row) == 1)
    ends = np.flatnonzero(np.diff(row) == -1)
    ends = ends[ends > starts[0]]
    lengths = ends - starts[: len(ends)]
    assert lengths.mean() == pytest.approx(span, rel=0.05)
    assert (lengths == 1).mean() == pytest.approx(1 / span, abs=0.03)  # geometric


def test_replacing_keeps_the_length_and_edges_and_masks_all_repetitions_of_a_token():
    source = torch.tensor([7, 10, 10, 10, 11, 12, 12, 2, 8])
    counts = np.array([3, 1, 2])
    found = set()
    for seed in range(60):
        masked = Masks(0.4, 1.0, "replace", MASK).apply(source, (1, 2), counts, 0, np.random.default_rng(seed))
        assert len(masked) == len(source)
        assert masked[[0, 7, 8]].tolist() == [7, 2, 8]
        groups = [masked[1:4], masked[4:5], masked[5:7]]
        kept = [token if group[0] != MASK else MASK for group, token in zip(groups, (10, 11, 12), strict=True)]
        assert [group.tolist() for group in groups] == [[kept[0]] * 3, [kept[1]], [kept[2]] * 2]
        found.add(tuple(kept))
    assert len(found) == 5  # stretches of one token do not touch
    assert source.tolist() == [7, 10, 10, 10, 11, 12, 12, 2, 8]


@pytest.mark.parametrize("steps", [0, 3, 8, 12, 20])
def test_dropping_leaves_as_many_steps_as_ctc_needs_and_the_rest_in_order(steps):
    source = torch.arange(100, 112)
    lengths = set()
    for seed in range(40):
        left = Masks(0.6, 2.0, "drop", MASK).apply(source, (0, 1), None, steps, np.random.default_rng(seed))
        assert len(left) >= min(steps, len(source))
        assert len(left) >= 2  # something to read before eos
        assert left.tolist() == sorted(left.tolist())
        assert left[-1] == source[-1]
        lengths.add(len(left))
    assert (len(lengths) > 1) == (steps < 8)


def test_the_symbol_is_mask_where_the_dictionary_has_it():
    dictionary = Dictionary()
    dictionary.add_symbol("a")
    assert mask_symbol(dictionary) == dictionary.bos()
    assert mask_symbol(dictionary) == 0
    number = dictionary.add_symbol("<mask>")
    assert mask_symbol(dictionary) == number
