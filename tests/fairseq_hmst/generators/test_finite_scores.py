"""Scores that are no numbers: every search refuses them where it is called as a function, and none looks at padding."""

import itertools
import math

import pytest
import torch
from transducer_stub import NOT_LABELS, StubModel, batch

from fairseq_hmst.generators.beam_history import EMPTY_ID, longer_ids
from fairseq_hmst.generators.ctc.ctc_prefix import CTCPrefixScorer
from fairseq_hmst.generators.ctc.ctc_search import ctc_greedy, ctc_prefix_beam_search
from fairseq_hmst.generators.finite_scores import FiniteScores
from fairseq_hmst.generators.transducer.transducer_beam import transducer_beam_search
from fairseq_hmst.generators.transducer.transducer_greedy import transducer_greedy
from fairseq_hmst.generators.transducer.transducer_scorer import LabelLimit, TransducerScorer
from preprocess.errors import NotFiniteError

BLANK = 0
CTC_SEARCHES = [
    ctc_greedy,
    lambda *arguments: ctc_prefix_beam_search(*arguments, beam_size=2),
    lambda *arguments: CTCPrefixScorer(*arguments, eos_index=2),
]
TRANSDUCER_SEARCHES = [transducer_greedy, lambda *arguments: transducer_beam_search(*arguments, beam_size=2)]
WRONG = [math.nan, math.inf]


@pytest.fixture
def log_probs():
    return torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(0)).log_softmax(-1)


@pytest.mark.parametrize("search", CTC_SEARCHES)
@pytest.mark.parametrize("value", WRONG)
def test_one_number_of_a_frame_is_enough(search, value, log_probs):
    log_probs[1, 2, 3] = value
    with pytest.raises(NotFiniteError, match="NaN or infinite"):
        search(log_probs, torch.tensor([5, 3]), BLANK)
    search(log_probs, torch.tensor([5, 2]), BLANK)  # the frame is padding


@pytest.mark.parametrize("search", CTC_SEARCHES)
def test_a_frame_without_any_possible_label_is_refused_and_impossible_labels_are_not(search, log_probs):
    log_probs[0, 1, 1:4] = -math.inf
    search(log_probs, torch.tensor([5, 5]), BLANK)
    log_probs[0, 1] = -math.inf
    with pytest.raises(NotFiniteError):
        search(log_probs, torch.tensor([5, 5]), BLANK)


@pytest.mark.parametrize("search", TRANSDUCER_SEARCHES)
@pytest.mark.parametrize("value", [*WRONG, -math.inf])
def test_a_transducer_that_gives_no_numbers_is_refused(search, value):
    model, sample = StubModel(), batch(3, 2)
    limit = LabelLimit(0.0, 5, 1)
    with torch.no_grad():
        assert len(search(TransducerScorer([model], sample["net_input"], NOT_LABELS), limit)) == 2
        model.table[sample["net_input"]["src_tokens"][1, 1]] = value  # the encoder's last step of one utterance
        with pytest.raises(NotFiniteError, match="NaN or infinite"):
            search(TransducerScorer([model], sample["net_input"], NOT_LABELS), limit)


def test_what_was_noted_once_is_refused_at_the_end():
    scores = FiniteScores()
    good, bad = torch.zeros(2, 3), torch.tensor([[0.0, 0, 0], [0, math.nan, 0]])
    assert scores.note(good).tolist() == [True, True]
    assert scores.note(bad).tolist() == [True, False]
    scores.note(good)
    with pytest.raises(NotFiniteError):
        scores.check()
    padded = FiniteScores()
    padded.note(bad, is_padding=torch.tensor([False, True]))
    padded.check()


def test_ids_of_sequences_depend_on_their_labels_and_order_alone():
    """All sequences of up to five of eight labels, grown label by label."""
    by_id = {}
    for length in range(6):
        for labels in itertools.product(range(3, 11), repeat=length):
            found = torch.tensor(EMPTY_ID)
            for label in labels:
                found = longer_ids(found, torch.tensor(label))
            by_id.setdefault(int(found), []).append(labels)
    assert len(by_id) == sum(8**length for length in range(6))
