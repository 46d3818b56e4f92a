"""Both prediction networks: training and search see the same, labels act only where they should."""

import pytest
import torch

from fairseq_hmst.modules.predictor import PREDICTORS, LSTMPredictor, StatelessPredictor

NUM_LABELS, PADDING, START, WIDTH = 9, 1, 0, 6
KINDS = {
    "lstm-1": (LSTMPredictor, {"layers": 1}),
    "lstm-2": (LSTMPredictor, {"layers": 2}),
    "stateless-1": (StatelessPredictor, {"context": 1}),
    "stateless-2": (StatelessPredictor, {"context": 2}),
    "stateless-4": (StatelessPredictor, {"context": 4}),
}


@pytest.fixture(params=KINDS)
def predictor(request):
    kind, options = KINDS[request.param]
    torch.manual_seed(0)
    return kind(NUM_LABELS, PADDING, START, WIDTH, dropout=0.5, **options).double().eval()


def some_labels(num_rows=3, length=5):
    return torch.randint(2, NUM_LABELS, (num_rows, length), generator=torch.Generator().manual_seed(1))


def stepped(predictor, labels):
    """The output at every position, made step by step."""
    state = predictor.initial_state(len(labels))
    outputs = []
    for column in [torch.full((len(labels),), START), *labels.unbind(1)]:
        output, state = predictor.step(column, state)
        outputs.append(output)
    return torch.stack(outputs, 1)


def test_steps_equal_the_forward_pass(predictor):
    labels = some_labels()
    expected = predictor(labels)
    assert expected.shape == (3, 6, WIDTH)
    torch.testing.assert_close(stepped(predictor, labels), expected)


def test_without_labels_there_is_the_start_alone(predictor):
    assert predictor(some_labels(length=0)).shape == (3, 1, WIDTH)


@pytest.mark.parametrize(("kind", "options"), KINDS.values(), ids=KINDS)
def test_the_start_label_is_what_the_first_position_has_seen(kind, options):
    torch.manual_seed(0)
    predictor = kind(NUM_LABELS, PADDING, 4, WIDTH, 0.0, **options).eval()
    labels = some_labels()
    (expected, _) = predictor.step(torch.full((3,), 4), predictor.initial_state(3))
    (other, _) = predictor.step(torch.full((3,), START), predictor.initial_state(3))
    torch.testing.assert_close(predictor(labels)[:, 0], expected)
    assert not torch.allclose(expected, other)


def test_a_label_changes_no_position_before_it(predictor):
    labels = some_labels()
    changed = labels.clone()
    changed[:, 3] = PADDING
    before, after = predictor(labels), predictor(changed)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4], after[:, 4])


@pytest.mark.parametrize("context", [1, 2, 3])
def test_a_stateless_predictor_sees_the_last_labels_and_no_more(context):
    predictor = StatelessPredictor(NUM_LABELS, PADDING, START, WIDTH, 0.0, context).eval()
    labels = some_labels(1, 6)
    changed = labels.clone()
    changed[:, 1] = labels[:, 1] % (NUM_LABELS - 3) + 3
    is_equal = (predictor(labels) == predictor(changed)).all(2)[0].tolist()
    assert is_equal == [not 1 < position <= 1 + context for position in range(7)]


def test_states_can_be_reordered_by_row(predictor):
    labels = some_labels()
    state = predictor.initial_state(3)
    for column in labels.unbind(1):
        _, state = predictor.step(column, state)
    order = torch.tensor([2, 0, 2, 1])
    reordered = tuple(tensor[order] for tensor in state)
    found, _ = predictor.step(torch.tensor([4, 5, 6, 7]), reordered)
    for row, (source, label) in enumerate(zip(order.tolist(), [4, 5, 6, 7], strict=True)):
        alone, _ = predictor.step(torch.tensor([label]), tuple(tensor[source : source + 1] for tensor in state))
        torch.testing.assert_close(found[row : row + 1], alone)


def test_dropout_acts_in_training_alone(predictor):
    labels = some_labels()
    assert torch.equal(predictor(labels), predictor(labels))
    predictor.train()
    assert not torch.equal(predictor(labels), predictor(labels))


@pytest.mark.parametrize(("kind", "option"), [("lstm", "layers"), ("stateless", "context")])
def test_a_size_below_one_is_refused(kind, option):
    with pytest.raises(ValueError, match=f"--predictor-{option} must be at least 1, got 0"):
        PREDICTORS[kind](NUM_LABELS, PADDING, START, WIDTH, 0.0, **{option: 0})
