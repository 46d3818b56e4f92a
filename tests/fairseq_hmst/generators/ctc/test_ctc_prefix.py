"""CTC prefix scores against the enumeration of all paths, torch's CTC loss, and sums that must hold."""

import itertools
import math

import pytest
import torch
from torch.nn import functional

from fairseq_hmst.generators.ctc.ctc_prefix import CTCPrefixScorer

BLANK = 0
EOS = 2


def random_log_probs(*shape, seed=0, scale=1.0):
    logits = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (scale * logits).log_softmax(-1)


def lengths(*values):
    return torch.tensor(values)


def labeling_probabilities(log_probs):
    """{labels: probability} of one (T, V) distribution, summed over all V ** T paths."""
    probabilities = {}
    for path in itertools.product(range(log_probs.size(1)), repeat=len(log_probs)):
        labels = tuple(label for label, _ in itertools.groupby(path) if label != BLANK)
        probability = math.exp(sum(log_probs[t, label].item() for t, label in enumerate(path)))
        probabilities[labels] = probabilities.get(labels, 0.0) + probability
    return probabilities


def log(probability):
    return math.log(probability) if probability > 0 else -math.inf


def extended(scorer, hypothesis, num_hypotheses=1):
    """The state of `num_hypotheses` copies of one hypothesis for each utterance."""
    state = scorer.initial_state(num_hypotheses)
    for label in hypothesis:
        state = scorer.extend(state, torch.full_like(state.utterances, label))
    return state


def all_scores(scorer, state, vocabulary_size):
    return scorer.score(state, torch.arange(vocabulary_size).expand(len(state.utterances), -1))


@pytest.mark.parametrize(("num_frames", "vocabulary_size"), [(1, 4), (2, 4), (4, 4), (6, 4), (4, 5)])
@pytest.mark.parametrize("hypothesis", [(), (1,), (1, 1), (3, 3), (1, 3, 1), (3, 1, 1), (1, 1, 1)])
def test_prefix_scores_equal_the_sum_over_all_labelings_with_that_prefix(num_frames, vocabulary_size, hypothesis):
    log_probs = random_log_probs(num_frames, vocabulary_size, seed=num_frames)
    probabilities = labeling_probabilities(log_probs)
    scorer = CTCPrefixScorer(log_probs.unsqueeze(0), lengths(num_frames), BLANK, EOS)
    state = extended(scorer, hypothesis)

    def log_prefix_probability(prefix):
        return log(sum(p for labels, p in probabilities.items() if labels[: len(prefix)] == prefix))

    expected = [log_prefix_probability((*hypothesis, label)) for label in range(vocabulary_size)]
    expected[BLANK] = -math.inf
    expected[EOS] = log(probabilities.get(hypothesis, 0.0))
    assert all_scores(scorer, state, vocabulary_size)[0].tolist() == pytest.approx(expected, rel=1e-10, abs=1e-12)
    assert state.prefix_scores.tolist() == pytest.approx([log_prefix_probability(hypothesis)], rel=1e-10, abs=1e-12)


def test_prefix_scores_are_exact_beside_labels_and_blanks_of_probability_zero():
    logits = random_log_probs(6, 4, seed=3)
    logits[1, 3] = logits[2, BLANK] = logits[4, 1] = logits[4, BLANK] = -math.inf
    log_probs = logits.log_softmax(1)
    probabilities = labeling_probabilities(log_probs)
    scorer = CTCPrefixScorer(log_probs.unsqueeze(0), lengths(6), BLANK, EOS)
    for hypothesis in itertools.chain.from_iterable(itertools.product((1, 3), repeat=n) for n in range(6)):
        state = extended(scorer, hypothesis)
        expected = [
            log(sum(p for labels, p in probabilities.items() if labels[: len(hypothesis) + 1] == (*hypothesis, label)))
            for label in (1, 3)
        ]
        expected.append(log(probabilities.get(hypothesis, 0.0)))
        found = scorer.score(state, torch.tensor([[1, 3, EOS]]))[0].tolist()
        assert found == pytest.approx(expected, rel=1e-7, abs=1e-7), hypothesis


def test_a_prefix_is_as_likely_as_its_end_and_all_its_extensions_together():
    logits = 3.0 * random_log_probs(1, 80, 12)
    logits[:, :, EOS] = -math.inf  # no path holds it, so the sum over the candidates misses nothing
    scorer = CTCPrefixScorer(logits.log_softmax(2), lengths(80), BLANK, EOS)
    for hypothesis in ((), (3,), (3, 4), (3, 4, 4), (3, 4, 4, 4, 11, 5, 5, 1, 7, 7)):
        state = extended(scorer, hypothesis)
        total = all_scores(scorer, state, 12).logsumexp(1)
        torch.testing.assert_close(total, state.prefix_scores, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("num_frames", "scale"), [(50, 1.0), (2000, 1.0), (1000, 30.0), (2000, 100.0)])
def test_the_end_score_equals_torchs_ctc_loss_over_long_and_extreme_distributions(num_frames, scale):
    log_probs = random_log_probs(1, num_frames, 20, seed=4, scale=scale)
    labels = torch.randint(3, 20, (30,), generator=torch.Generator().manual_seed(5))
    labels[7] = labels[6]
    scorer = CTCPrefixScorer(log_probs, lengths(num_frames), BLANK, EOS)
    state = extended(scorer, labels.tolist())
    found = scorer.score(state, torch.tensor([[EOS]])).item()
    loss = functional.ctc_loss(
        log_probs.transpose(0, 1), labels[None], lengths(num_frames), lengths(30), blank=BLANK, reduction="sum"
    )
    assert found == pytest.approx(-loss.item(), rel=1e-11)


def test_labels_of_tiny_probability_everywhere_keep_their_scores():
    num_frames, tiny = 1000, -100.0
    log_probs = torch.full((1, num_frames, 4), tiny, dtype=torch.float64)  # not normalised: all terms are known
    scorer = CTCPrefixScorer(log_probs, lengths(num_frames), BLANK, EOS)
    state = extended(scorer, (1, 3))
    # T frames, every path as likely: 2 labels with blanks anywhere and runs of any length
    num_paths = math.comb(num_frames + 2, 4)
    found = scorer.score(state, torch.tensor([[EOS]])).item()
    assert found == pytest.approx(num_frames * tiny + math.log(num_paths), abs=1e-7)
    # the shortest prefixes outweigh all others: labels in frames 1 and 2
    assert state.prefix_scores.item() == pytest.approx(2 * tiny, abs=1e-12)


def test_hypotheses_with_more_labels_than_frames_are_impossible_and_never_nan():
    scorer = CTCPrefixScorer(random_log_probs(2, 3, 5), lengths(3, 2), BLANK, EOS)
    state = scorer.initial_state(1)
    for _ in range(5):
        state = scorer.extend(state, torch.tensor([1, 1]))
        scores = all_scores(scorer, state, 5)
        assert not scores.isnan().any()
        assert not torch.stack([state.log_r_blank, state.log_r_nonblank]).isnan().any()
    assert scores.eq(-math.inf).all()
    assert state.prefix_scores.eq(-math.inf).all()


@pytest.mark.parametrize("label", [BLANK, EOS])
def test_extending_by_blank_or_end_of_sentence_leaves_an_impossible_hypothesis(label):
    scorer = CTCPrefixScorer(random_log_probs(1, 6, 5), lengths(6), BLANK, EOS)
    state = extended(scorer, (1, label))
    assert state.prefix_scores.item() == -math.inf
    assert all_scores(scorer, state, 5).eq(-math.inf).all()


def test_a_batch_of_different_lengths_scores_as_one_by_one_and_padding_changes_nothing():
    log_probs = random_log_probs(3, 9, 6, scale=2.0)
    source_lengths = [9, 4, 6]
    batched = extended(CTCPrefixScorer(log_probs, lengths(*source_lengths), BLANK, EOS), (1, 1, 4))
    padded_log_probs = functional.pad(log_probs, (0, 0, 0, 5), value=float("nan"))
    padded_scorer = CTCPrefixScorer(padded_log_probs, lengths(*source_lengths), BLANK, EOS)
    padded_scores = all_scores(padded_scorer, extended(padded_scorer, (1, 1, 4)), 6)
    for b, length in enumerate(source_lengths):
        scorer = CTCPrefixScorer(log_probs[b : b + 1, :length], lengths(length), BLANK, EOS)
        alone = extended(scorer, (1, 1, 4))
        scores = all_scores(scorer, alone, 6)
        torch.testing.assert_close(padded_scores[b], scores[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(batched.prefix_scores[b], alone.prefix_scores[0], rtol=0, atol=1e-12)


def test_reordering_keeps_repeats_and_drops_hypotheses_and_utterances():
    scorer = CTCPrefixScorer(random_log_probs(3, 8, 6), lengths(8, 8, 5), BLANK, EOS)
    state = scorer.initial_state(2)
    labels = torch.tensor([1, 3, 4, 5, 1, 3])
    state = scorer.extend(state, labels)
    order = torch.tensor([1, 1, 5, 4])  # the second utterance has gone
    scores = all_scores(scorer, state, 6)
    assert torch.equal(all_scores(scorer, state.reorder(order), 6), scores[order])

    continued = scorer.extend(state.reorder(order), torch.tensor([3, 4, 3, 3]))
    expected = scorer.score(state, torch.tensor([[0, 0], [3, 4], [0, 0], [0, 0], [3, 3], [3, 3]]))
    expected = torch.stack([expected[1, 0], expected[1, 1], expected[5, 0], expected[4, 0]])
    torch.testing.assert_close(continued.prefix_scores, expected, rtol=1e-12, atol=1e-12)


def test_float32_log_probs_give_scores_in_float64():
    log_probs = random_log_probs(2, 40, 6)
    wide = CTCPrefixScorer(log_probs, lengths(40, 30), BLANK, EOS)
    narrow = CTCPrefixScorer(log_probs.float(), lengths(40, 30), BLANK, EOS)
    scores = all_scores(narrow, extended(narrow, (1, 3, 3)), 6)
    assert scores.dtype == torch.float64
    torch.testing.assert_close(scores, all_scores(wide, extended(wide, (1, 3, 3)), 6), rtol=1e-6, atol=1e-6)
