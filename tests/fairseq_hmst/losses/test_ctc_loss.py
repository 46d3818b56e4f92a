"""The CTC loss against torch's own and against the sum over all paths; infeasible examples."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from fairseq_hmst.losses.ctc_loss import ctc_feasible, ctc_loss
from preprocess.files.tokens.ctc_steps import needed_for_ctc

BLANK = 0
PADDING = 1


def random_batch(seed=0, dtype=torch.float64):
    """Logits, targets (padded), source and target lengths of four feasible examples, one of them without labels."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(4, 9, 7, generator=generator, dtype=dtype)
    targets = torch.tensor([[2, 3, 3, 4], [5, 6, PADDING, PADDING], [PADDING] * 4, [2, 2, 2, PADDING]])
    return logits, targets, torch.tensor([9, 6, 3, 5]), torch.tensor([4, 2, 0, 3])


def loss_and_gradient(loss_function, logits, *arguments):
    logits = logits.detach().requires_grad_()
    losses = loss_function(logits.log_softmax(2), *arguments)
    losses.sum().backward()
    return losses.detach(), logits.grad


def collapse(path):
    return tuple(label for label, _ in itertools.groupby(path) if label != BLANK)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ctc_loss_equals_torchs_in_value_and_gradient(dtype):
    logits, targets, source_lengths, target_lengths = random_batch(dtype=dtype)
    losses, gradient = loss_and_gradient(ctc_loss, logits, targets, source_lengths, target_lengths, BLANK)

    for b in range(len(logits)):
        row = logits[b : b + 1, : source_lengths[b]].detach().requires_grad_()
        expected = functional.ctc_loss(
            row.log_softmax(2).transpose(0, 1),
            targets[b : b + 1, : target_lengths[b]],
            source_lengths[b : b + 1],
            target_lengths[b : b + 1],
            blank=BLANK,
            reduction="sum",
        )
        expected.backward()
        torch.testing.assert_close(losses[b], expected.detach())
        torch.testing.assert_close(gradient[b, : source_lengths[b]], row.grad[0])
        assert gradient[b, source_lengths[b] :].eq(0).all()


@pytest.mark.parametrize("labels", [(), (1,), (1, 2), (1, 1), (2, 1, 2)])
def test_ctc_loss_equals_the_sum_over_all_paths(labels):
    log_probs = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64).log_softmax(2)
    total = 0.0
    for path in itertools.product(range(3), repeat=5):
        if collapse(path) == labels:
            total += math.exp(sum(log_probs[0, t, label].item() for t, label in enumerate(path)))
    targets = torch.tensor([labels], dtype=torch.int64)
    loss = ctc_loss(log_probs, targets, torch.tensor([5]), torch.tensor([len(labels)]), BLANK)
    assert loss.item() == pytest.approx(-math.log(total), rel=1e-12)


def test_infeasible_examples_have_zero_loss_and_gradient_and_leave_the_others_alone():
    logits, targets, source_lengths, target_lengths = random_batch()
    expected = loss_and_gradient(ctc_loss, logits, targets, source_lengths, target_lengths, BLANK)
    too_short = source_lengths.clone()
    too_short[0] = 4  # four labels, one of them repeated, need five frames
    too_short[3] = 4  # three equal labels need five frames
    losses, gradient = loss_and_gradient(ctc_loss, logits, targets, too_short, target_lengths, BLANK)

    assert losses[[0, 3]].tolist() == [0.0, 0.0]
    assert gradient[[0, 3]].eq(0).all()
    assert torch.equal(losses[[1, 2]], expected[0][[1, 2]])
    assert torch.equal(gradient[[1, 2]], expected[1][[1, 2]])


def test_a_batch_without_any_feasible_example_can_be_trained_on():
    logits, targets, _, target_lengths = random_batch()
    rows = [0, 3]
    losses, gradient = loss_and_gradient(
        ctc_loss, logits[rows], targets[rows], torch.tensor([2, 2]), target_lengths[rows], BLANK
    )
    assert losses.tolist() == [0.0, 0.0]
    assert gradient.eq(0).all()


def test_feasible_means_one_frame_a_label_and_one_between_equal_neighbours():
    targets = torch.tensor([[2, 3, 2], [2, 2, 3], [2, 2, 3], [2, 2, 2], [2, 2, 2]])
    target_lengths = torch.tensor([3, 3, 3, 3, 1])
    source_lengths = torch.tensor([3, 3, 4, 4, 1])
    assert ctc_feasible(targets, source_lengths, target_lengths).tolist() == [True, False, True, False, True]


def test_feasible_is_where_torchs_loss_is_finite():
    generator = torch.Generator().manual_seed(2)
    targets = torch.randint(1, 3, (200, 5), generator=generator)
    target_lengths = torch.randint(0, 6, (200,), generator=generator)
    source_lengths = torch.randint(1, 10, (200,), generator=generator)
    log_probs = torch.randn(9, 200, 3, generator=generator).log_softmax(2)
    losses = functional.ctc_loss(log_probs, targets, source_lengths, target_lengths, reduction="none")
    feasible = ctc_feasible(targets, source_lengths, target_lengths)
    assert torch.equal(feasible, losses.isfinite())
    assert 0 < feasible.sum() < 200


def test_padding_changes_neither_loss_nor_gradient():
    logits, targets, source_lengths, target_lengths = random_batch()
    expected = loss_and_gradient(ctc_loss, logits, targets, source_lengths, target_lengths, BLANK)
    for padding_label in (PADDING, BLANK, -100):
        padded_logits = functional.pad(logits, (0, 0, 0, 3), value=5.0)
        padded_targets = functional.pad(targets, (0, 2), value=padding_label)
        losses, gradient = loss_and_gradient(
            ctc_loss, padded_logits, padded_targets, source_lengths, target_lengths, BLANK
        )
        torch.testing.assert_close(losses, expected[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(gradient[:, :-3], expected[1], rtol=0, atol=1e-12)
        assert gradient[:, -3:].eq(0).all()


def test_an_impossible_label_in_a_feasible_example_still_shows():
    log_probs = torch.tensor([[[0.5, 0.5, 0.0]] * 3]).log()
    assert ctc_loss(log_probs, torch.tensor([[2]]), torch.tensor([3]), torch.tensor([1]), BLANK).isinf()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source_lengths": [9, 0, 3, 5]}, r"source_lengths\[1\] is 0, expected 1\.\.9"),
        ({"source_lengths": [9, 6, 10, 5]}, r"source_lengths\[2\] is 10, expected 1\.\.9"),
        ({"target_lengths": [4, 2, 0, 5]}, r"target_lengths\[3\] is 5, expected 0\.\.4"),
        (
            {"targets": [[2, 3, 3, 4], [5, 7, 1, 1], [1] * 4, [2] * 4]},
            r"targets\[1, 1\] is 7, expected a label in 0\.\.6",
        ),
        ({"targets": [[2, 0, 3, 4], [5, 6, 1, 1], [1] * 4, [2] * 4]}, r"targets\[0, 1\] is 0, .* without the blank 0"),
    ],
)
def test_values_out_of_range_are_refused_by_name(change, message):
    logits, targets, source_lengths, target_lengths = random_batch()
    batch = {"targets": targets, "source_lengths": source_lengths, "target_lengths": target_lengths}
    batch |= {name: torch.tensor(value) for name, value in change.items()}
    with pytest.raises(ValueError, match=message):
        ctc_loss(logits.log_softmax(2), **batch, blank_index=BLANK)


@pytest.mark.parametrize("labels", [[], [2], [2, 2], [2, 3, 3, 3], [3, 2, 3]])
def test_an_example_is_feasible_from_the_length_that_binarize_counts(labels):
    targets = torch.tensor([[*labels, 2, 2]])  # what follows the labels is ignored
    needed = needed_for_ctc(np.array(labels, dtype=np.int64))
    feasible = [ctc_feasible(targets, torch.tensor([n]), torch.tensor([len(labels)])).item() for n in range(8)]
    assert feasible == [length >= needed for length in range(8)]
