"""Each policy commits what it says, by alignments and probabilities made up for the case."""

import itertools

import pytest
import torch

from fairseq_hmst.live.policies.agreement import LocalAgreement
from fairseq_hmst.live.policies.alignatt import AlignAtt
from fairseq_hmst.live.policies.ctc_prefix import CTCPrefix
from fairseq_hmst.live.policies.look_ahead import LookAhead
from fairseq_hmst.live.policies.policy import Heard
from fairseq_hmst.live.policies.table import DECODINGS, DEFAULTS, POLICIES, choose_policy, policy_maker
from preprocess.errors import OptionError

BLANK = 0


def heard(labels, num_sure, alignment=None, num_committed=0, log_probs=None, speech=None):
    num_steps = len(speech) if speech else (len(alignment[0]) if alignment else 0)
    return Heard(
        tuple(labels),
        num_committed,
        num_sure,
        lambda: torch.tensor(alignment),
        lambda: (log_probs, BLANK),
        torch.tensor(speech or [True] * num_steps),
    )


ALIGNMENT = [[0.6, 0.2, 0.1, 0.1], [0.1, 0.6, 0.2, 0.1], [0.1, 0.1, 0.2, 0.6], [0.9, 0.0, 0.1, 0.0]]


@pytest.mark.parametrize(("num_sure", "expected"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 4)])
def test_alignatt_stops_before_the_first_label_that_looks_at_the_end(num_sure, expected):
    assert AlignAtt().num_certain(heard([5, 6, 7, 8], num_sure, ALIGNMENT)) == expected


def test_alignatt_looks_at_speech_alone():
    attends_end_of_sentence = [[0.1, 0.2, 0.7]]
    assert AlignAtt().num_certain(heard([5], 2, attends_end_of_sentence, speech=[True, True, False])) == 1


@pytest.mark.parametrize(("num_sure", "expected"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 4)])
def test_look_ahead_stops_before_the_first_label_that_is_mostly_written_at_the_end(num_sure, expected):
    assert LookAhead().num_certain(heard([5, 6, 7, 8], num_sure, ALIGNMENT)) == expected


@pytest.mark.parametrize("policy", [AlignAtt(), LookAhead()])
def test_what_was_committed_stays(policy):
    assert policy.num_certain(heard([5, 6, 7], 0, ALIGNMENT[:3], num_committed=2)) == 2


def test_agreement_commits_what_two_passes_begin_with():
    policy = LocalAgreement()
    found = [
        policy.num_certain(heard(labels, 0, num_committed=committed))
        for labels, committed in (([5, 6], 0), ([5, 6, 7], 0), ([5, 6, 8], 2), ([5, 6], 2), ([5, 6, 8, 9], 2))
    ]
    assert found == [0, 2, 2, 2, 2]


def brute_force(log_probs, beginning, label):
    """Probability of all label sequences that begin so, and of exactly the beginning, over all paths."""
    goes_on = ends = 0.0
    for path in itertools.product(range(log_probs.size(1)), repeat=len(log_probs)):
        probability = float(log_probs[range(len(path)), path].sum().exp())
        labels = [symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK]
        goes_on += probability * (labels[: len(beginning) + 1] == [*beginning, label])
        ends += probability * (labels == list(beginning))
    return goes_on, ends


@pytest.mark.parametrize("seed", range(12))
def test_ctc_prefix_compares_going_on_with_ending_over_all_paths_of_what_is_sure(seed):
    generator = torch.Generator().manual_seed(seed)
    log_probs = (2 * torch.randn(7, 3, generator=generator)).log_softmax(1)
    labels = torch.randint(1, 3, (4,), generator=generator).tolist()
    expected = 4
    for number, label in enumerate(labels):
        goes_on, ends = brute_force(log_probs[:5], labels[:number], label)
        if goes_on < ends:
            expected = number
            break
    assert CTCPrefix().num_certain(heard(labels, 5, log_probs=log_probs)) == expected


def test_ctc_prefix_commits_nothing_where_nothing_is_sure():
    assert CTCPrefix().num_certain(heard([1, 2], 0, num_committed=1)) == 1


def test_every_policy_but_wait_is_made_and_every_decoding_has_one():
    assert all(policy_maker(name)() for name in POLICIES[:-1])
    assert all(decoding in DECODINGS[policy] for decoding, policy in DEFAULTS.items())
    assert choose_policy(None, "joint") == "ctc-prefix" and choose_policy("wait", "ctc") == "wait"
    with pytest.raises(OptionError, match="alignatt cannot be used with decoding ctc; it has: agreement, look-ahead"):
        choose_policy("alignatt", "ctc")
