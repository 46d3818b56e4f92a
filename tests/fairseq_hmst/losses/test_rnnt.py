"""Both RNN-T losses against the sum over all alignments, closed forms and torchaudio, and under every change."""

import itertools
import math

import pytest
import torch
from rnnt_batches import BLANK, BOTH_LOSSES, assert_same, joint_logits, losses_and_gradients, random_batch

from fairseq_hmst.losses.rnnt import fused_rnnt_loss, rnnt_loss


def enumerated_loss(logits, labels):
    """From logits (T, U + 1, V): every order of T blanks and U labels that ends with a blank is one alignment."""
    log_probs = logits.log_softmax(-1)
    num_steps, num_labels = len(logits), len(labels)
    path_scores = []
    for label_slots in itertools.combinations(range(num_steps + num_labels - 1), num_labels):
        step, emitted, score = 0, 0, 0.0
        for slot in range(num_steps + num_labels):
            if slot in label_slots:
                score += log_probs[step, emitted, labels[emitted]]
                emitted += 1
            else:
                score += log_probs[step, emitted, BLANK]
                step += 1
        path_scores.append(score)
    return -torch.stack(path_scores).logsumexp(0)


def enumerated_losses(encoder_out, predictor_out, weight, bias, targets, source_lengths, target_lengths, _):
    logits = joint_logits(encoder_out, predictor_out, weight, bias)
    return torch.stack(
        [
            enumerated_loss(logits[b, :steps, : labels + 1], targets[b, :labels].tolist())
            for b, (steps, labels) in enumerate(zip(source_lengths.tolist(), target_lengths.tolist(), strict=True))
        ]
    )


@BOTH_LOSSES
@pytest.mark.parametrize("num_labels", [0, 1, 2, 3])
@pytest.mark.parametrize("num_steps", [1, 2, 3, 4])
def test_losses_and_gradients_equal_the_sum_over_all_paths(loss_function, num_steps, num_labels):
    tensors, labels = random_batch(3, num_steps, num_labels, vocabulary=5, width=4, seed=num_steps)
    expected = losses_and_gradients(enumerated_losses, tensors, *labels)
    assert_same(losses_and_gradients(loss_function, tensors, *labels), expected, rtol=1e-10, atol=1e-12)


@BOTH_LOSSES
@pytest.mark.parametrize(("num_steps", "num_labels", "vocabulary"), [(50, 20, 30), (7, 0, 9), (1, 6, 4), (3, 2, 2)])
def test_a_uniform_model_has_the_closed_form_loss(loss_function, num_steps, num_labels, vocabulary):
    tensors, (targets, *_) = random_batch(2, num_steps, num_labels, vocabulary, width=3)
    flat = (*tensors[:2], torch.zeros_like(tensors[2]), torch.full_like(tensors[3], 0.7))
    full = (torch.full((2,), num_steps), torch.full((2,), num_labels))
    losses = loss_function(*flat, targets, *full, BLANK)
    num_paths = math.comb(num_steps + num_labels - 1, num_labels)
    expected = (num_steps + num_labels) * math.log(vocabulary) - math.log(num_paths)
    torch.testing.assert_close(losses, losses.new_tensor([expected] * 2), rtol=1e-12, atol=1e-12)


@BOTH_LOSSES
def test_one_symbol_one_step_and_no_label_cost_nothing(loss_function):
    tensors, _ = random_batch(1, 1, 0, vocabulary=1, width=2)
    labels = (torch.zeros(1, 0, dtype=torch.int64), torch.tensor([1]), torch.tensor([0]), BLANK)
    losses, gradients = losses_and_gradients(loss_function, tensors, *labels)
    assert losses.item() == 0
    assert all(gradient.abs().max() == 0 for gradient in gradients)


@BOTH_LOSSES
def test_an_empty_batch_has_no_losses(loss_function):
    tensors = (torch.zeros(0, 4, 3), torch.zeros(0, 3, 3), torch.zeros(5, 3), torch.zeros(5))
    no_lengths = torch.zeros(0, dtype=torch.int64)
    assert loss_function(*tensors, torch.zeros(0, 2, dtype=torch.int64), no_lengths, no_lengths, BLANK).shape == (0,)


@BOTH_LOSSES
@pytest.mark.parametrize("seed", range(4))
def test_losses_and_gradients_equal_torchaudios(loss_function, seed):
    try:
        from torchaudio.functional import rnnt_loss as torchaudio_loss
    except (ImportError, OSError, RuntimeError) as error:
        pytest.skip(f"torchaudio does not import: {error}")

    def peer(encoder_out, predictor_out, weight, bias, *labels):
        logits = joint_logits(encoder_out, predictor_out, weight, bias)
        targets, source_lengths, target_lengths = (tensor.int() for tensor in labels[:3])
        return torchaudio_loss(logits, targets, source_lengths, target_lengths, blank=BLANK, reduction="none")

    sizes = torch.randint(2, 24, (4,), generator=torch.Generator().manual_seed(seed)).tolist()
    tensors, labels = random_batch(4, *sizes, dtype=torch.float32, seed=seed)
    ours = losses_and_gradients(loss_function, tensors, *labels)
    theirs = losses_and_gradients(peer, tensors, *labels)
    torch.testing.assert_close(ours[0], theirs[0], rtol=1e-4, atol=0)
    for one, other in zip(ours[1], theirs[1], strict=True):
        assert (one - other).norm() <= 1e-4 * other.norm()


@BOTH_LOSSES
def test_gradients_agree_with_finite_differences(loss_function):
    tensors, labels = random_batch(2, 4, 3, vocabulary=5, width=3)
    assert torch.autograd.gradcheck(lambda *inputs: loss_function(*inputs, *labels), tensors)


@BOTH_LOSSES
def test_float32_gradients_of_long_utterances_keep_five_digits(loss_function):
    tensors, labels = random_batch(1, 400, 80, vocabulary=20, width=8)
    expected = losses_and_gradients(loss_function, tensors, *labels)
    single = [tensor.detach().float().requires_grad_() for tensor in tensors]
    losses, gradients = losses_and_gradients(loss_function, single, *labels)
    torch.testing.assert_close(losses.double(), expected[0], rtol=1e-6, atol=0)
    for one, other in zip(gradients, expected[1], strict=True):
        assert (one.double() - other).norm() <= 1e-5 * other.norm()


@pytest.mark.parametrize("chunk_elements", [1, 100, 1000, 10**6])
def test_the_chunk_size_changes_nothing(chunk_elements):
    tensors, labels = random_batch(3, 9, 5, vocabulary=11, width=6)
    one = losses_and_gradients(fused_rnnt_loss, tensors, *labels, chunk_elements=chunk_elements)
    assert_same(one, losses_and_gradients(fused_rnnt_loss, tensors, *labels), rtol=1e-10, atol=1e-12)


@BOTH_LOSSES
def test_padding_changes_nothing_and_receives_no_gradient(loss_function):
    tensors, (targets, source_lengths, target_lengths, _) = random_batch(3, 8, 5, vocabulary=7, width=4)
    labels = (targets, source_lengths, target_lengths, BLANK)
    expected = losses_and_gradients(loss_function, tensors, *labels)

    encoder_out, predictor_out = (torch.nn.functional.pad(t.detach(), (0, 0, 0, 3), value=9.0) for t in tensors[:2])
    for b in range(len(targets)):
        encoder_out[b, source_lengths[b] :] = 9.0
        predictor_out[b, target_lengths[b] + 1 :] = -9.0
    padded = (encoder_out.requires_grad_(), predictor_out.requires_grad_(), *tensors[2:])
    no_label = torch.nn.functional.pad(targets, (0, 3), value=-100)
    losses, gradients = losses_and_gradients(loss_function, padded, no_label, *labels[1:])

    assert_same((losses, (gradients[0][:, :-3], gradients[1][:, :-3], *gradients[2:])), expected)
    for b in range(len(targets)):
        assert gradients[0][b, source_lengths[b] :].abs().max() == 0
        assert gradients[1][b, target_lengths[b] + 1 :].abs().max() == 0


def test_the_fused_loss_never_reads_padding():
    tensors, labels = random_batch(2, 6, 4, vocabulary=5, width=3)
    lengths = (torch.tensor([6, 2]), torch.tensor([1, 4]))
    encoder_out, predictor_out = (tensor.detach().clone() for tensor in tensors[:2])
    encoder_out[1, 2:] = torch.nan
    predictor_out[0, 2:] = torch.nan
    poisoned = (encoder_out.requires_grad_(), predictor_out.requires_grad_(), *tensors[2:])
    ours = losses_and_gradients(fused_rnnt_loss, poisoned, labels[0], *lengths, BLANK)
    assert_same(ours, losses_and_gradients(fused_rnnt_loss, tensors, labels[0], *lengths, BLANK))


@BOTH_LOSSES
def test_a_batch_equals_its_utterances_one_by_one(loss_function):
    tensors, (targets, source_lengths, target_lengths, _) = random_batch(4, 7, 5, vocabulary=6, width=4)
    together = loss_function(*tensors, targets, source_lengths, target_lengths, BLANK)
    for b in range(4):
        steps, labels = int(source_lengths[b]), int(target_lengths[b])
        alone = loss_function(
            tensors[0][b : b + 1, :steps],
            tensors[1][b : b + 1, : labels + 1],
            *tensors[2:],
            targets[b : b + 1, :labels],
            source_lengths[b : b + 1],
            target_lengths[b : b + 1],
            BLANK,
        )
        torch.testing.assert_close(alone[0], together[b])


def test_any_id_can_be_the_blank():
    tensors, (targets, *lengths, _) = random_batch(2, 5, 3, vocabulary=6, width=4)
    swap = torch.tensor([4, 1, 2, 3, 0, 5])
    renamed = (*tensors[:2], tensors[2][swap], tensors[3][swap])
    expected = fused_rnnt_loss(*tensors, targets, *lengths, BLANK)
    torch.testing.assert_close(fused_rnnt_loss(*renamed, swap[targets], *lengths, 4), expected)


@pytest.mark.parametrize("needed", list(itertools.product([False, True], repeat=4))[1:])
def test_each_needed_gradient_is_right_whichever_others_are_needed(needed):
    tensors, labels = random_batch(2, 5, 3, vocabulary=6, width=4)
    _, expected = losses_and_gradients(fused_rnnt_loss, tensors, *labels)
    chosen = [t.detach().requires_grad_(is_needed) for t, is_needed in zip(tensors, needed, strict=True)]
    losses = fused_rnnt_loss(*chosen, *labels)
    (losses * torch.tensor([1.0, 2.0])).sum().backward()
    for tensor, is_needed, gradient in zip(chosen, needed, expected, strict=True):
        if is_needed:
            torch.testing.assert_close(tensor.grad, gradient)
        else:
            assert tensor.grad is None


@BOTH_LOSSES
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source_lengths": [5, 0]}, r"source_lengths\[1\] is 0, expected 1\.\.5"),
        ({"source_lengths": [6, 5]}, r"source_lengths\[0\] is 6, expected 1\.\.5"),
        ({"source_lengths": [5]}, r"source_lengths must be \(B,\) = \(2,\), got shape \(1,\)"),
        ({"target_lengths": [3, 4]}, r"target_lengths\[1\] is 4, expected 0\.\.3"),
        ({"target_lengths": [-1, 3]}, r"target_lengths\[0\] is -1, expected 0\.\.3"),
        ({"targets": [[1, 2, 3], [4, 6, 1]]}, r"targets\[1, 1\] is 6, expected a label in 0\.\.5"),
        ({"targets": [[-1, 2, 3], [4, 5, 1]]}, r"targets\[0, 0\] is -1, expected a label in 0\.\.5"),
        ({"targets": [[1, 2], [4, 5]]}, r"targets must be \(B, U\) = \(2, 3\) to fit U \+ 1 = 4"),
        ({"blank_index": 6}, r"blank_index must lie in 0\.\.5, got 6"),
    ],
)
def test_arguments_out_of_range_are_refused(loss_function, change, message):
    tensors, _ = random_batch(2, 5, 3, vocabulary=6, width=4)
    good = {"targets": [[1, 2, 3], [4, 5, 1]], "source_lengths": [5, 4], "target_lengths": [3, 2]}
    arguments = {
        name: torch.tensor(value) if name != "blank_index" else value for name, value in (good | change).items()
    }
    with pytest.raises(ValueError, match=message):
        loss_function(*tensors, **{"blank_index": BLANK} | arguments)


def test_shapes_that_disagree_are_refused():
    tensors, labels = random_batch(2, 5, 3, vocabulary=6, width=4)
    with pytest.raises(
        ValueError, match=r"must be \(B, T, J\), .* got shapes \(2, 5, 4\), \(2, 4, 4\), \(6, 3\), \(6,\)"
    ):
        fused_rnnt_loss(*tensors[:2], tensors[2][:, :3], tensors[3], *labels)
    with pytest.raises(ValueError, match=r"logits must be \(B, T, U \+ 1, V\), got shape \(2, 5, 4\)"):
        rnnt_loss(tensors[0], *labels)
    with pytest.raises(ValueError, match="chunk_elements must be positive, got 0"):
        fused_rnnt_loss(*tensors, *labels, chunk_elements=0)
