"""Alignments against enumeration of all paths and closed forms, and their rows for every family."""

import itertools

import pytest
import torch
from rnnt_batches import BLANK, joint_logits, random_batch
from toy import batch_of, build_model, build_task

from fairseq_hmst.alignment import align, align_batch, ctc_alignment, transducer_alignment
from fairseq_hmst.losses.checked_labels import Labels
from fairseq_hmst.models.hmst_model import TransducerInputs

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 2}
DECODINGS = [
    ("hmst_aed_tiny", "attention"),
    ("hmst_ctc_attention_tiny", "joint"),
    ("hmst_ctc_attention_tiny", "ctc"),
    ("hmst_transducer_tiny", "transducer"),
]
NO_LABELS = torch.zeros(0, dtype=torch.int64)


def small_model(task, architecture, **options):
    decoder = {"decoder_layers": SMALL["decoder_layers"]} if "transducer" not in architecture else {}
    sizes = {name: size for name, size in SMALL.items() if name != "decoder_layers"}
    return build_model(task, architecture, **sizes, source_ctc_layer=0, **decoder, **options)


def inputs_of(task, row):
    """Source, its first five labels, and what the decoder reads before labels."""
    batch = batch_of(task, [row])
    labels, read = batch["labels"][0], batch["net_input"]["prev_output_tokens"][0]
    return batch["net_input"]["src_tokens"][0], labels[:5], read[: len(read) - len(labels)]


def one_row(labels, num_steps):
    """Labels of a batch of one."""
    return Labels(torch.tensor([labels]), torch.tensor([num_steps]), torch.tensor([len(labels)]))


def labels_on_path(path):
    """The number of the label at each step of a CTC path, None at blanks, and the labels."""
    numbers, labels, previous = [], [], BLANK
    for symbol in path:
        if symbol not in (BLANK, previous):
            labels.append(symbol)
        numbers.append(len(labels) - 1 if symbol != BLANK else None)
        previous = symbol
    return numbers, labels


@pytest.mark.parametrize("labels", [[1], [1, 2], [1, 1], [2, 1, 2], [1, 1, 2]])
def test_ctc_posteriors_equal_enumeration_of_all_paths(labels):
    log_probs = torch.randn(5, 3, generator=torch.Generator().manual_seed(1)).double().log_softmax(-1)
    occupied = torch.zeros(len(labels), 5, dtype=torch.float64)
    for path in itertools.product(range(3), repeat=5):
        numbers, found = labels_on_path(path)
        if found == labels:
            probability = log_probs[range(5), path].sum().exp()
            for step, number in enumerate(numbers):
                if number is not None:
                    occupied[number, step] += probability
    expected = occupied / occupied.sum(1, keepdim=True)
    torch.testing.assert_close(ctc_alignment(log_probs[None], one_row(labels, 5), BLANK)[0], expected)


def test_ctc_without_room_to_choose_puts_each_label_on_its_step():
    log_probs = torch.randn(1, 4, 5).log_softmax(-1)
    assert torch.equal(ctc_alignment(log_probs, one_row([4, 2, 3, 1], 4), BLANK)[0], torch.eye(4).double())


def test_ctc_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 encoder steps are too few to hold 2 labels by CTC"):
        ctc_alignment(torch.zeros(1, 2, 3), one_row([1, 1], 2), BLANK)  # a blank must stand between them


@pytest.mark.parametrize(("num_steps", "num_labels"), [(1, 2), (2, 1), (3, 3), (4, 2)])
def test_transducer_posteriors_equal_enumeration_of_all_paths(num_steps, num_labels):
    tensors, labels = random_batch(1, num_steps, num_labels, vocabulary=5, width=4, seed=num_steps)
    targets = labels[0]
    log_probs = joint_logits(*tensors)[0].log_softmax(-1)
    emitted, total = torch.zeros(num_labels, num_steps, dtype=torch.float64), 0.0
    for steps in itertools.combinations_with_replacement(range(num_steps), num_labels):
        score = sum(log_probs[step, number, targets[0, number]] for number, step in enumerate(steps))
        score += sum(log_probs[step, sum(s <= step for s in steps), BLANK] for step in range(num_steps))
        probability = score.exp().item()
        total += probability
        emitted[range(num_labels), steps] += probability
    inputs = TransducerInputs(*(tensor.detach() for tensor in tensors))
    found = transducer_alignment([inputs], one_row(targets[0].tolist(), num_steps), BLANK)
    torch.testing.assert_close(found[0], emitted / total)


def test_a_uniform_transducer_spreads_one_label_evenly():
    tensors = (torch.zeros(1, 4, 3), torch.zeros(1, 2, 3), torch.zeros(5, 3), torch.zeros(5))
    found = transducer_alignment([TransducerInputs(*tensors)], one_row([2], 4), BLANK)
    torch.testing.assert_close(found, torch.full((1, 1, 4), 0.25))


@pytest.mark.parametrize(("architecture", "decoding"), DECODINGS)
def test_rows_sum_to_one_for_every_head(toy_task, architecture, decoding):
    model = small_model(toy_task, architecture)
    source, labels, start = inputs_of(toy_task, 3)
    alignment = align([model], decoding, source, labels, start)
    assert alignment.shape == (len(labels), len(source)) and alignment.dtype == torch.float32
    assert alignment.min() >= 0
    torch.testing.assert_close(alignment.sum(1), torch.ones(len(labels)))
    assert align([model], decoding, source, NO_LABELS, start).shape == (0, len(source))


@pytest.mark.parametrize(("architecture", "decoding"), DECODINGS)
def test_a_batch_is_aligned_as_each_row_is(toy_task, architecture, decoding):
    model = small_model(toy_task, architecture)
    rows = [inputs_of(toy_task, row) for row in (3, 0, 5)]
    rows[1] = (rows[1][0], NO_LABELS, rows[1][2])
    sources, labels, starts = zip(*rows, strict=True)
    padding = toy_task.target_dictionary.pad()
    pad = lambda each: torch.nn.utils.rnn.pad_sequence(each, batch_first=True, padding_value=padding)  # noqa: E731
    lengths = [torch.tensor([len(row) for row in each]) for each in (sources, labels)]
    found = align_batch([model], decoding, pad(sources), Labels(pad(labels), *lengths), torch.stack(starts))
    for row, expected in enumerate(align([model], decoding, *inputs) for inputs in rows):
        num_labels, num_steps = expected.shape
        torch.testing.assert_close(found[row, :num_labels, :num_steps], expected)
    assert len({len(source) for source in sources}) == 3


@pytest.mark.parametrize(("architecture", "decoding"), DECODINGS)
def test_twice_the_same_model_aligns_as_one(toy_task, architecture, decoding):
    model = small_model(toy_task, architecture)
    inputs = inputs_of(toy_task, 3)
    torch.testing.assert_close(align([model, model], decoding, *inputs), align([model], decoding, *inputs))


def test_attention_rows_are_those_of_fairseqs_beam_search(toy_task):
    model = small_model(toy_task, "hmst_aed_tiny")
    source, _, start = inputs_of(toy_task, 3)
    options = type("Options", (), {"beam": 1, "max_len_a": 0, "max_len_b": 6})
    generator = toy_task.build_generator([model], options)
    sample = {"net_input": {"src_tokens": source[None], "src_lengths": torch.tensor([len(source)])}}
    best = toy_task.inference_step(generator, [model], sample)[0][0]
    labels = best["tokens"][:-1]
    assert len(labels) > 2
    torch.testing.assert_close(align([model], "attention", source, labels, start), best["attention"].T[: len(labels)])


def test_the_row_of_a_language_symbol_is_left_out(two_target_data_bin):
    task = build_task(two_target_data_bin)
    model = small_model(task, "hmst_aed_tiny")
    source, labels, start = inputs_of(task, 1)
    assert len(start) == 2
    with torch.no_grad():
        read = torch.cat([start, labels])[None]
        weights = model(source[None], torch.tensor([len(source)]), read).decoder_extra["attn"][0][0]
    alignment = align([model], "attention", source, labels, start)
    torch.testing.assert_close(alignment, weights[1 : 1 + len(labels)])


def test_a_head_that_the_model_lacks_is_refused(toy_task):
    model = small_model(toy_task, "hmst_aed_tiny")
    with pytest.raises(ValueError, match="model 0 has no head for 'ctc'; it has: attention"):
        align([model], "ctc", *inputs_of(toy_task, 3))
