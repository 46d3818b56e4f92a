"""CTC searches against the enumeration of all paths and against a prefix search over dictionaries of labels."""

import itertools
import math
from collections import defaultdict

import pytest
import torch
from ctc_enumeration import BLANK, collapse, labelings_by_enumeration, random_log_probs
from torch.nn import functional

from fairseq_hmst.generators.ctc.ctc_search import ctc_greedy, ctc_prefix_beam_search


def prefix_beam_search_by_dictionaries(log_probs, beam_size):
    """[(labels, log-probability)], best first: one utterance, every label of every frame, probabilities as they are."""
    beam = {(): (1.0, 0.0)}  # prefix: probability of ending in blank, in its last label
    for frame in log_probs.exp().tolist():
        grown = defaultdict(lambda: [0.0, 0.0])
        for prefix, (blank, nonblank) in beam.items():
            grown[prefix][0] += (blank + nonblank) * frame[BLANK]
            for label, probability in enumerate(frame):
                if label == BLANK:
                    continue
                is_repeat = bool(prefix) and prefix[-1] == label
                if is_repeat:
                    grown[prefix][1] += nonblank * probability
                grown[(*prefix, label)][1] += (blank if is_repeat else blank + nonblank) * probability
        beam = dict(sorted(grown.items(), key=lambda item: -sum(item[1]))[:beam_size])
    return [(prefix, math.log(sum(parts))) for prefix, parts in beam.items() if sum(parts) > 0]


def assert_same_results(found, expected):
    assert [result.labels for result in found] == [list(labels) for labels, _ in expected]
    assert [result.log_prob for result in found] == pytest.approx([log_prob for _, log_prob in expected], abs=1e-10)


@pytest.mark.parametrize(("num_frames", "vocabulary_size"), [(1, 3), (3, 3), (5, 3), (4, 4)])
def test_a_beam_as_large_as_the_space_finds_every_labeling_with_its_probability(num_frames, vocabulary_size):
    log_probs = random_log_probs(2, num_frames, vocabulary_size, seed=num_frames, scale=2.0)
    results = ctc_prefix_beam_search(log_probs, torch.full((2,), num_frames), BLANK, beam_size=500)
    for b in range(2):
        assert_same_results(results[b], labelings_by_enumeration(log_probs[b]))


@pytest.mark.parametrize("beam_size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("vocabulary_size", [3, 40])
def test_beam_search_equals_an_unpruned_search_over_dictionaries(beam_size, vocabulary_size):
    """Equal prefixes are merged, and looking at the best 2 * beam labels of a frame alone loses nothing."""
    log_probs = random_log_probs(6, 20, vocabulary_size, seed=beam_size, scale=1.5)
    results = ctc_prefix_beam_search(log_probs, torch.full((6,), 20), BLANK, beam_size)
    for b in range(6):
        assert_same_results(results[b], prefix_beam_search_by_dictionaries(log_probs[b], beam_size))


def test_a_pruned_and_grown_again_prefix_is_still_merged_with_its_extension():
    """Few labels and flat distributions: prefixes leave the beam and return while their extensions stay."""
    for seed in range(20):
        log_probs = random_log_probs(1, 30, 3, seed=seed, scale=0.7)
        results = ctc_prefix_beam_search(log_probs, torch.tensor([30]), BLANK, beam_size=4)
        assert_same_results(results[0], prefix_beam_search_by_dictionaries(log_probs[0], 4))
        assert len({tuple(result.labels) for result in results[0]}) == 4


@pytest.mark.parametrize("beam_size", [1, 4])
def test_a_batch_of_different_lengths_decodes_as_one_by_one_and_padding_changes_nothing(beam_size):
    log_probs = random_log_probs(4, 12, 9, scale=2.0)
    lengths = torch.tensor([12, 1, 7, 10])
    padded = functional.pad(log_probs, (0, 0, 0, 6), value=float("nan"))
    batched_results = ctc_prefix_beam_search(padded, lengths, BLANK, beam_size)
    batched_paths = ctc_greedy(padded, lengths, BLANK)
    for b, length in enumerate(lengths.tolist()):
        alone = log_probs[b : b + 1, :length]
        expected = ctc_prefix_beam_search(alone, lengths[b : b + 1], BLANK, beam_size)[0]
        assert_same_results(batched_results[b], expected)
        assert_same_results([batched_paths[b]], ctc_greedy(alone, lengths[b : b + 1], BLANK))


def test_greedy_is_the_label_sequence_of_the_best_of_all_paths():
    log_probs = random_log_probs(3, 5, 4, seed=1, scale=2.0)
    for b, result in enumerate(ctc_greedy(log_probs, torch.tensor([5, 3, 4]), BLANK)):
        num_frames = [5, 3, 4][b]

        def score(path, b=b):
            return sum(log_probs[b, t, label].item() for t, label in enumerate(path))

        best = max(itertools.product(range(4), repeat=num_frames), key=score)
        assert tuple(result.labels) == collapse(best)
        assert result.log_prob == pytest.approx(score(best), abs=1e-12)


def test_greedy_and_beam_search_agree_where_one_path_has_almost_all_probability():
    path = torch.tensor([[0, 3, 3, 0, 3, 4, 4, 0], [5, 5, 1, 2, 2, 0, 0, 0]])
    log_probs = (30.0 * functional.one_hot(path, 6)).log_softmax(2)
    expected = [[3, 3, 4], [5, 1, 2]]
    lengths = torch.tensor([8, 5])
    assert [result.labels for result in ctc_greedy(log_probs, lengths, BLANK)] == expected
    for beam_size in (1, 3):
        results = ctc_prefix_beam_search(log_probs, lengths, BLANK, beam_size)
        assert [result[0].labels for result in results] == expected


def test_beam_search_finds_a_likelier_sequence_than_the_best_path():
    log_probs = torch.tensor([[[0.6, 0.4]] * 2]).log()  # the path of two blanks has 0.36, label 1 has 0.64 in all
    lengths = torch.tensor([2])
    assert ctc_greedy(log_probs, lengths, BLANK)[0].labels == []
    best = ctc_prefix_beam_search(log_probs, lengths, BLANK, beam_size=2)[0][0]
    assert best.labels == [1]
    assert math.exp(best.log_prob) == pytest.approx(0.64, rel=1e-6)


def test_labels_of_probability_zero_never_come_out():
    log_probs = random_log_probs(2, 5, 4)
    log_probs[:, :, 3] = -math.inf
    results = ctc_prefix_beam_search(log_probs, torch.tensor([5, 3]), BLANK, beam_size=300)
    assert all(3 not in result.labels and result.log_prob > -math.inf for row in results for result in row)
    assert len(results[1]) < len(results[0]) < 300


def test_a_beam_below_one_is_refused():
    with pytest.raises(ValueError, match="beam_size must be at least 1, got 0"):
        ctc_prefix_beam_search(random_log_probs(1, 2, 3), torch.tensor([2]), BLANK, beam_size=0)
