"""CTC searches from given beginnings, against the enumeration of all paths and a search over dictionaries of labels."""

import itertools
import math
from collections import defaultdict

import pytest
import torch
from ctc_enumeration import BLANK, collapse, labelings_by_enumeration, random_log_probs

from fairseq_hmst.generators.beginnings import Beginning, Beginnings
from fairseq_hmst.generators.ctc.ctc_search import ctc_greedy, ctc_prefix_beam_search

CPU = torch.device("cpu")
ALL_BEGINNINGS = [list(labels) for length in range(4) for labels in itertools.product((1, 2), repeat=length)]


def beginnings_of(rows, is_whole=False):
    return Beginnings([Beginning(row, is_whole) for row in rows], CPU)


def has_beginning(labels, beginning):
    return list(labels[: len(beginning)]) == beginning


def assert_same(found, expected):
    assert [result.labels for result in found] == [list(labels) for labels, _ in expected]
    assert [result.log_prob for result in found] == pytest.approx([log_prob for _, log_prob in expected], abs=1e-9)


def test_a_beam_that_holds_everything_finds_all_that_begins_so_with_its_exact_probability():
    """All 15 beginnings of up to three labels in one batch, of utterances of two lengths."""
    log_probs = random_log_probs(len(ALL_BEGINNINGS), 6, 3, seed=3, scale=2.0)
    lengths = torch.tensor([6, 5])[torch.arange(len(log_probs)) % 2]
    results = ctc_prefix_beam_search(log_probs, lengths, BLANK, 300, beginnings_of(ALL_BEGINNINGS))
    for row, beginning in enumerate(ALL_BEGINNINGS):
        space = labelings_by_enumeration(log_probs[row, : lengths[row]])
        assert_same(results[row], [(labels, p) for labels, p in space if has_beginning(labels, beginning)])


def test_the_best_path_is_the_best_of_those_that_begin_so():
    log_probs = random_log_probs(len(ALL_BEGINNINGS), 6, 3, seed=4, scale=2.0)
    lengths = torch.tensor([6, 5])[torch.arange(len(log_probs)) % 2]
    found = ctc_greedy(log_probs, lengths, BLANK, beginnings_of(ALL_BEGINNINGS))
    for row, beginning in enumerate(ALL_BEGINNINGS):
        frames = log_probs[row, : lengths[row]].tolist()

        def score(path, frames=frames):
            return sum(frame[label] for frame, label in zip(frames, path, strict=True))

        paths = itertools.product(range(3), repeat=len(frames))
        best = max((path for path in paths if has_beginning(collapse(path), beginning)), key=score)
        assert_same([found[row]], [(collapse(best), score(best))])


def exact_parts(log_probs, beginning):
    """Probabilities of all paths of the beginning over the first 0, 1, ... frames that end in blank, and in a label."""
    parts = []
    for length in range(len(log_probs) + 1):
        totals = [0.0, 0.0]
        for path in itertools.product(range(log_probs.size(1)), repeat=length):
            if list(collapse(path)) == beginning:
                p = math.exp(sum(log_probs[t, label].item() for t, label in enumerate(path)))
                totals[bool(path) and path[-1] != BLANK] += p
        parts.append(totals)
    return parts


def search_by_dictionaries(log_probs, beginning, beam_size):
    """The beginning beside the `beam_size` best others at each frame, which are given its exact probabilities."""
    parts = exact_parts(log_probs, beginning)
    begun, others = tuple(beginning), {}
    for number, frame in enumerate(log_probs.exp().tolist()):
        grown = defaultdict(lambda: [0.0, 0.0])
        for prefix, (blank, nonblank) in [(begun, parts[number]), *others.items()]:
            grown[prefix][0] += (blank + nonblank) * frame[BLANK]
            for label in range(1, len(frame)):
                is_repeat = prefix[-1:] == (label,)
                grown[prefix][1] += nonblank * frame[label] * is_repeat
                grown[(*prefix, label)][1] += (blank if is_repeat else blank + nonblank) * frame[label]
        del grown[begun]
        ranked = sorted(grown.items(), key=lambda item: -sum(item[1]))[:beam_size]
        others = {prefix: parts for prefix, parts in ranked if sum(parts) > 0}
    ranked = sorted([(begun, parts[-1]), *others.items()], key=lambda item: -sum(item[1]))[:beam_size]
    return [(labels, math.log(sum(both))) for labels, both in ranked]


@pytest.mark.parametrize("beam_size", [1, 2, 3])
def test_the_beginning_stays_beside_the_beam_with_its_exact_probability(beam_size):
    for seed, beginning in enumerate(ALL_BEGINNINGS[1:]):
        log_probs = random_log_probs(1, 7, 3, seed=seed, scale=0.7)
        beginnings = beginnings_of([beginning])
        (found,) = ctc_prefix_beam_search(log_probs, torch.tensor([7]), BLANK, beam_size, beginnings)
        assert_same(found, search_by_dictionaries(log_probs[0], beginning, beam_size))


@pytest.mark.parametrize("beam_size", [1, 2, 4])
def test_improbable_beginnings_are_kept_and_their_continuations_found(beam_size):
    """A path without label 3 has almost all probability; what comes after the beginning is as without it."""
    path = torch.tensor([4, 0, 0, 0, 5, 5, 0, 6])
    log_probs = (60.0 * torch.nn.functional.one_hot(path, 8)).double().log_softmax(1)[None]
    beginnings = beginnings_of([[4, 3]])
    (best, *_) = ctc_prefix_beam_search(log_probs, torch.tensor([8]), BLANK, beam_size, beginnings)[0]
    assert best.labels == [4, 3, 5, 6]
    assert best.log_prob == pytest.approx(-60 + math.log(4), abs=0.01)  # frames 1 to 3, or in place of 5 or of a blank
    (greedy,) = ctc_greedy(log_probs, torch.tensor([8]), BLANK, beginnings)
    assert greedy.labels == [4, 3, 5, 6]
    assert greedy.log_prob == pytest.approx(-60, abs=0.01)


def searches(log_probs, lengths, beginnings):
    yield [[result] for result in ctc_greedy(log_probs, lengths, BLANK, beginnings)]
    for beam_size in (1, 3):
        yield ctc_prefix_beam_search(log_probs, lengths, BLANK, beam_size, beginnings)


def test_an_impossible_beginning_comes_back_alone():
    log_probs = random_log_probs(2, 4, 5)
    lengths = torch.tensor([4, 4])
    for results in searches(log_probs, lengths, beginnings_of([[3, 3, 3], [3, 3]])):
        assert results[0] == [([3, 3, 3], -math.inf)]
        assert all(has_beginning(result.labels, [3, 3]) and result.log_prob > -math.inf for result in results[1])


def test_nothing_follows_a_whole_beginning():
    log_probs = random_log_probs(3, 6, 4, seed=2)
    lengths = torch.tensor([6, 5, 6])
    rows = [[1, 1], [2], []]
    best_path, *beams = searches(log_probs, lengths, beginnings_of(rows, is_whole=True))
    assert [[result.labels for result in row] for row in best_path] == [[row] for row in rows]
    for row, length in enumerate(lengths.tolist()):
        exact = dict(labelings_by_enumeration(log_probs[row, :length]))[tuple(rows[row])]
        assert best_path[row][0].log_prob < exact + 1e-9
        for results in beams:
            assert_same(results[row], [(tuple(rows[row]), exact)])


@pytest.mark.parametrize("beam_size", [1, 2, 8])
def test_rows_of_a_batch_are_searched_as_alone(beam_size):
    log_probs = random_log_probs(4, 15, 9, scale=2.0)
    lengths = torch.tensor([15, 9, 12, 15])
    rows = [[3, 4, 4, 5, 6], [], [8], [7, 7]]
    together = ctc_prefix_beam_search(log_probs, lengths, BLANK, beam_size, beginnings_of(rows))
    paths = ctc_greedy(log_probs, lengths, BLANK, beginnings_of(rows))
    for row, beginning in enumerate(rows):
        alone = log_probs[row : row + 1, : lengths[row]], lengths[row : row + 1], BLANK
        given = beginnings_of([beginning]) if beginning else None
        assert_same(together[row], ctc_prefix_beam_search(*alone, beam_size, given)[0])
        assert_same([paths[row]], ctc_greedy(*alone, given))
