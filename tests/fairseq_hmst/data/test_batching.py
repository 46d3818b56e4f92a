import numpy as np
import pytest
from fairseq.data import data_utils

from fairseq_hmst.data.batching import batches_of_rows


def random_examples(count, seed):
    """Indices in an order, their lengths, rising as in training, and their rows."""
    generator = np.random.default_rng(seed)
    lengths = np.sort(generator.integers(1, 60, count))
    return generator.permutation(count), lengths, generator.integers(1, 3, count)


@pytest.mark.parametrize("bounds", [(200, None), (None, 6), (200, 5)])
@pytest.mark.parametrize("multiple", [1, 8])
@pytest.mark.parametrize("seed", range(5))
def test_batches_are_as_large_as_the_bounds_allow_and_hold_every_example_in_order(bounds, multiple, seed):
    indices, lengths, num_rows = random_examples(300, seed)
    max_tokens, max_rows = bounds
    batches = batches_of_rows(indices, lengths, num_rows, max_tokens, max_rows, multiple)
    assert np.concatenate(batches).tolist() == indices.tolist()

    def fits(start, end):
        rows = num_rows[start:end].sum()
        return rows <= (max_rows or rows) and rows * lengths[start:end].max() <= (max_tokens or np.inf)

    start = 0
    for batch in batches:
        end = start + len(batch)
        assert fits(start, end)
        rows = num_rows[start:end].sum()
        if end < len(indices) and rows % multiple != 0:  # no shorter batch has a multiple, and no longer one fits
            assert not fits(start, end + 1)
            assert (np.cumsum(num_rows[start:end]) % multiple != 0).all()
        elif end < len(indices):
            longer = [stop for stop in range(end + 1, len(indices)) if fits(start, stop)]
            assert not any(num_rows[start:stop].sum() % multiple == 0 for stop in longer)
        start = end


@pytest.mark.parametrize("multiple", [1, 4, 8])
@pytest.mark.parametrize("max_sentences", [None, 12])
def test_of_single_rows_the_batches_are_fairseqs(multiple, max_sentences):
    indices, lengths, _ = random_examples(300, 0)
    found = batches_of_rows(indices, lengths, np.ones(300, dtype=int), 200, max_sentences, multiple)
    by_index = np.empty(300, dtype=np.int64)
    by_index[indices] = lengths
    expected = data_utils.batch_by_size(
        indices, None, by_index[indices], 200, max_sentences, required_batch_size_multiple=multiple
    )
    for one, other in zip(found, expected, strict=False):
        assert one.tolist() == other.tolist()
    assert len(expected) <= len(found) <= len(expected) + 1  # fairseq may drop the last


@pytest.mark.parametrize(("bounds", "flag"), [((99, None), "--max-tokens 99"), ((None, 1), "--batch-size 1")])
def test_an_example_that_no_batch_can_hold_is_refused(bounds, flag):
    lengths, num_rows = np.array([20, 50]), np.array([1, 2])
    message = f"not fit into a batch of {flag}: with its text twin it is 2 rows of 50 tokens, 100 tokens; raise the bou"
    with pytest.raises(ValueError, match=message):
        batches_of_rows(np.arange(2), lengths, num_rows, *bounds)
