import pytest
import torch
from torch.nn.functional import kl_div

from fairseq_hmst.losses.consistency import symmetric_kl


@pytest.fixture
def batch():
    """Scores of two views, three rows of up to five positions, and the padding mask."""
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 3, 5, 7, generator=generator, dtype=torch.float64)
    return one, other, torch.arange(5) >= torch.tensor([5, 2, 4]).unsqueeze(1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_divergence_is_the_mean_of_torchs_both_ways(batch, dtype):
    one, other = (scores.to(dtype).log_softmax(-1) for scores in batch[:2])
    found = symmetric_kl(one, other, batch[2])
    for row, length in enumerate((5, 2, 4)):
        p, q = one[row, :length], other[row, :length]
        both = kl_div(q, p, log_target=True, reduction="sum") + kl_div(p, q, log_target=True, reduction="sum")
        torch.testing.assert_close(found[row], both / 2)


def test_equal_views_have_divergence_0_and_the_order_of_views_does_not_matter(batch):
    one, other, padding_mask = (*(scores.log_softmax(-1) for scores in batch[:2]), batch[2])
    assert symmetric_kl(one, one.clone(), padding_mask).tolist() == [0, 0, 0]
    assert torch.equal(symmetric_kl(one, other, padding_mask), symmetric_kl(other, one, padding_mask))
    assert (symmetric_kl(one, other, padding_mask) > 0).all()


def test_padding_changes_nothing_and_has_no_gradient(batch):
    one, other, padding_mask = batch
    changed = [torch.where(padding_mask.unsqueeze(-1), 9 * scores, scores).requires_grad_() for scores in (one, other)]
    found = symmetric_kl(*(scores.log_softmax(-1) for scores in changed), padding_mask)
    assert torch.equal(found, symmetric_kl(one.log_softmax(-1), other.log_softmax(-1), padding_mask))
    found.sum().backward()
    for scores in changed:
        assert (scores.grad[padding_mask] == 0).all()
        assert (scores.grad[~padding_mask] != 0).any(-1).all()


def test_gradients_of_both_views_are_those_of_finite_differences(batch):
    one, other, padding_mask = batch

    def divergence(one, other):
        return symmetric_kl(one.log_softmax(-1), other.log_softmax(-1), padding_mask)

    assert torch.autograd.gradcheck(divergence, (one.requires_grad_(), other.requires_grad_()))


def test_no_row_has_no_divergence(batch):
    one, other, padding_mask = (tensor[:0] for tensor in batch)
    assert symmetric_kl(one, other, padding_mask).shape == (0,)


def test_views_of_different_shape_are_refused(batch):
    one, other, padding_mask = batch
    with pytest.raises(ValueError, match=r"of both views and a \(B, N\) padding mask, got .* \(1, 5, 7\), \(3, 5\)"):
        symmetric_kl(one, other[:1], padding_mask)
    with pytest.raises(ValueError, match=r"got \(3, 5, 7\), \(3, 5, 7\), \(3, 4\)"):
        symmetric_kl(one, other, padding_mask[:, :4])
