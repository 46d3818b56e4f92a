import pytest
import torch

from fairseq_hmst.losses.cross_entropy import count_correct, count_labels, label_smoothed_cross_entropy

PADDING = 1


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 5, 7, generator=generator, dtype=torch.float64)
    targets = torch.tensor([[2, 3, 4, 5, 6], [6, 2, 1, 1, 1], [4, 4, 2, 1, 1]])
    return logits, targets


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.5])
def test_loss_equals_torchs_cross_entropy(batch, label_smoothing):
    logits, targets = batch
    loss, nll = label_smoothed_cross_entropy(logits.log_softmax(-1), targets, label_smoothing, PADDING)

    def torchs(epsilon):
        each = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), targets, ignore_index=PADDING, label_smoothing=epsilon, reduction="none"
        )
        return each.sum(1)

    torch.testing.assert_close(loss, torchs(label_smoothing))
    torch.testing.assert_close(nll, torchs(0.0))


def test_padding_has_no_gradient(batch):
    logits, targets = batch
    logits.requires_grad_()
    label_smoothed_cross_entropy(logits.log_softmax(-1), targets, 0.1, PADDING)[0].sum().backward()
    assert (logits.grad[targets == PADDING] == 0).all()
    assert (logits.grad[targets != PADDING] != 0).any(-1).all()


def test_smoothing_outside_its_range_is_refused(batch):
    with pytest.raises(ValueError, match=r"label_smoothing must lie in \[0, 1\), got 1.0"):
        label_smoothed_cross_entropy(*batch, 1.0, PADDING)


def test_counts_leave_padding_out(batch):
    _, targets = batch
    scores = torch.nn.functional.one_hot(targets, 7).double()
    assert count_labels(targets, PADDING).tolist() == [5, 2, 3]
    assert count_correct(scores, targets, PADDING).tolist() == [5, 2, 3]
    scores[0, 0] = scores[0, 1]
    assert count_correct(scores, targets, PADDING).tolist() == [4, 2, 3]
