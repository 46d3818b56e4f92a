"""Divergence between the predictions of two views of the same examples: symmetric, one value an example."""

from torch import Tensor


def symmetric_kl(log_probs: Tensor, other_log_probs: Tensor, padding_mask: Tensor) -> Tensor:
    """Mean of the two Kullback-Leibler divergences: 1/2 (KL(p||q) + KL(q||p)) = 1/2 sum (p - q) (log p - log q).

    Of two dropout masks as in R-Drop (Liang et al. 2021, arXiv:2106.14448, eq. 2), for CTC at each encoder step (Yao et
    al. 2024, CR-CTC, arXiv:2410.05101, who stop the gradient at one side of each term), and of speech and text under
    teacher forcing (Fang and Feng 2023, CRESS, arXiv:2305.08706). Gradients flow to both sides.

    Args:
        log_probs: (B, N, V) log-probabilities, float32 or float64, normalised over V by the caller.
        other_log_probs: (B, N, V) those of the other view.
        padding_mask: (B, N) bool, True at positions that count nothing.

    Returns:
        (B,) divergences in nats, 0 or more, summed over N and not divided by length; padding receives zero gradient.

    Raises:
        ValueError: the shapes do not fit together.
    """
    if log_probs.shape != other_log_probs.shape or log_probs.shape[:2] != padding_mask.shape:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in (log_probs, other_log_probs, padding_mask))
        raise ValueError(f"expected (B, N, V) log-probabilities of both views and a (B, N) padding mask, got {shapes}")
    difference = log_probs.exp() - other_log_probs.exp()
    by_position = (difference * (log_probs - other_log_probs)).sum(-1)
    return 0.5 * by_position.masked_fill(padding_mask, 0.0).sum(-1)
