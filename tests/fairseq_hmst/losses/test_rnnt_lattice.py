"""The sums over the lattice, row by row, against the recursion cell by cell, where numbers are extreme too."""

import numpy as np
import pytest
import torch

from fairseq_hmst.losses.checked_labels import Labels, check_labels
from fairseq_hmst.losses.rnnt_lattice import lattice_loss, pack_positions

IMPOSSIBLE = -np.inf


def full_lattice(num_steps, num_labels, num_utterances=1):
    """Positions of utterances without padding: those of arrays (B, T, U + 1), flattened."""
    lengths = (torch.full((num_utterances,), length) for length in (num_steps, num_labels))
    given = Labels(torch.ones(num_utterances, num_labels, dtype=torch.int64), *lengths)
    shape = (num_utterances, num_steps, num_labels + 1, 2)
    labels = check_labels(shape, torch.device("cpu"), given, blank_index=0, on_host=None)
    return pack_positions(labels, num_steps, blank_index=0)


def path_sums(log_blank, log_label):
    """Log-probability of reaching each cell, (T + 1, U + 1), diagonal by diagonal."""
    num_steps, num_counts = log_blank.shape
    sums = np.full((num_steps + 1, num_counts), IMPOSSIBLE)
    sums[0, 0] = 0
    for diagonal in range(1, num_steps + num_counts):
        u = np.arange(max(0, diagonal - num_steps), min(diagonal, num_counts - 1) + 1)
        t = diagonal - u
        stay = np.where(t > 0, sums[t - 1, u] + log_blank[t - 1, u], IMPOSSIBLE)
        is_step = (u > 0) & (t < num_steps)
        advance = np.where(is_step, sums[t, u - 1] + log_label[np.minimum(t, num_steps - 1), u - 1], IMPOSSIBLE)
        sums[t, u] = np.logaddexp(stay, advance)
    return sums


def loss_and_posteriors(log_blank, log_label):
    """The loss, and the posterior probabilities of blanks (T, U + 1) and of labels (T, U)."""
    before = path_sums(log_blank, log_label)
    # backwards: a blank leads from (t + 1, u) to (t, u), a label from (t, u + 1) to (t, u)
    num_steps, num_counts = log_blank.shape
    after = np.full((num_steps + 1, num_counts), IMPOSSIBLE)
    after[num_steps, num_counts - 1] = 0
    for diagonal in range(num_steps + num_counts - 2, -1, -1):
        u = np.arange(max(0, diagonal - num_steps + 1), min(diagonal, num_counts - 1) + 1)
        t = diagonal - u
        advance = np.where(
            u < num_counts - 1, after[t, np.minimum(u + 1, num_counts - 1)] + log_label[t, u], IMPOSSIBLE
        )
        after[t, u] = np.logaddexp(after[t + 1, u] + log_blank[t, u], advance)
    total = before[num_steps, num_counts - 1]
    blank = np.exp(before[:-1] + log_blank + after[1:] - total)
    label = np.exp(before[:-1, :-1] + log_label[:, :-1] + after[:-1, 1:] - total)
    return -total, blank, label


def ours(log_blank, log_label):
    arcs = [torch.from_numpy(arc).flatten().requires_grad_() for arc in (log_blank, log_label)]
    loss = lattice_loss(*arcs, full_lattice(log_blank.shape[0], log_blank.shape[1] - 1))
    blank, label = (-gradient.view(log_blank.shape).numpy() for gradient in torch.autograd.grad(loss.sum(), arcs))
    assert not label[:, -1].any() or loss.isinf()
    return loss.item(), blank, label[:, :-1]


def random_arcs(num_steps, num_labels, nats, seed=0):
    return np.random.default_rng(seed).uniform(-nats, 0, (2, num_steps, num_labels + 1))


def assert_equal_to_cell_by_cell(arcs, atol):
    with np.errstate(invalid="ignore"):  # -inf - -inf does not arise in ours
        expected = loss_and_posteriors(*arcs)
    found = ours(*arcs)
    assert np.isfinite(expected[0])
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-11)
    for one, other in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=atol)


@pytest.mark.parametrize("nats", [1, 10, 1e4])
@pytest.mark.parametrize(("num_steps", "num_labels"), [(1, 0), (1, 5), (6, 0), (9, 4), (5, 30)])
def test_sums_equal_those_cell_by_cell(num_steps, num_labels, nats):
    assert_equal_to_cell_by_cell(random_arcs(num_steps, num_labels, nats), atol=1e-10)


@pytest.mark.parametrize(("nats", "atol"), [(1, 1e-11), (10, 1e-10), (1e4, 1e-7)])
def test_sums_of_long_utterances_equal_those_cell_by_cell(nats, atol):
    assert_equal_to_cell_by_cell(random_arcs(2000, 300, nats), atol)


def test_rows_that_hardly_ever_stay_keep_their_digits():
    arcs = random_arcs(400, 60, 5)
    arcs[0, :, 1::2] -= 1e4
    assert_equal_to_cell_by_cell(arcs, atol=1e-8)


@pytest.mark.parametrize("which", [0, 1])
def test_impossible_arcs_are_those_of_no_path(which):
    arcs = random_arcs(300, 80, 5)
    is_impossible = np.random.default_rng(1).random(arcs[0].shape) < 0.2
    is_impossible[-1, -1] = False  # the last blank
    is_impossible[:, -1] &= which == 1  # and all of the last row, of which no path could miss one
    arcs[which][is_impossible] = IMPOSSIBLE
    assert_equal_to_cell_by_cell(arcs, atol=1e-9)


def test_all_blanks_but_the_last_rows_can_be_impossible():
    arcs = random_arcs(200, 40, 5)
    arcs[0, :, :-1] = IMPOSSIBLE
    loss, blank, label = ours(*arcs)
    assert loss == pytest.approx(-arcs[1, 0, :-1].sum() - arcs[0, :, -1].sum(), rel=1e-12)
    np.testing.assert_allclose(label[0], 1, atol=1e-9)
    np.testing.assert_allclose(blank[:, -1], 1, atol=1e-9)
    assert label[1:].max() == blank[:, :-1].max() == 0


@pytest.mark.parametrize("nats", [5, 1e4])
def test_an_utterance_without_a_possible_path_has_an_infinite_loss(nats):
    arcs = random_arcs(30, 6, nats)
    arcs[0, 11] = IMPOSSIBLE  # no way past step 11
    assert ours(*arcs)[0] == np.inf


def test_a_log_probability_below_a_million_counts_as_impossible():
    arcs = random_arcs(4, 2, 5)
    arcs[:, 1, 1] = -2e6
    expected = arcs.copy()
    expected[:, 1, 1] = IMPOSSIBLE
    for one, other in zip(ours(*arcs), ours(*expected), strict=True):
        np.testing.assert_array_equal(one, other)
    arcs[0, 2] = -2e6
    assert ours(*arcs)[0] == np.inf


def test_not_a_number_and_impossible_arcs_stay_with_their_utterances():
    both = np.stack([random_arcs(6, 3, 5, seed) for seed in (0, 1)], axis=1)  # (2, B, T, U + 1)
    both[0, 0, 2, 1] = np.nan
    both[0, 1, 3, 2] = IMPOSSIBLE
    losses = lattice_loss(*(torch.from_numpy(arc).flatten() for arc in both), full_lattice(6, 3, num_utterances=2))
    assert losses[0].isnan()
    assert losses[1].item() == pytest.approx(ours(*both[:, 1])[0], rel=1e-12)


def test_a_lattice_needs_two_operations_a_row_and_none_a_step():
    from torch.utils._python_dispatch import TorchDispatchMode

    class Launches(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.count += not function.is_view
            return function(*args, **(kwargs or {}))

    def launches(num_steps, num_labels):
        positions = full_lattice(num_steps, num_labels)
        log_probs = torch.full_like(positions.step, -1, dtype=torch.float64)
        with Launches() as counted:
            lattice_loss(log_probs, log_probs, positions)
        return counted.count

    assert launches(50, 7) == launches(5, 7)
    assert launches(5, 8) - launches(5, 7) == 2
