"""R-drop and consistency of hmst_joint, recomputed row by row from what the model returns."""

import pytest
import torch
from fairseq.logging import metrics
from torch.nn import functional
from toy import batch_of, build_criterion, build_model, task_with_twins, training_task

from fairseq_hmst.criterions.joint_criterion import LOSS_UNIT
from preprocess.errors import OptionError

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
HEADS = {"attention": 0.7 / 1.3, "ctc": 0.3 / 1.3, "source_ctc": 0.3 / 1.3}
BOTH = {"rdrop_weight": 2.0, "consistency_weight": 3.0}


@pytest.fixture(scope="module")
def task(toy_data_bin):
    return task_with_twins(toy_data_bin)


def make_model(task, dropout=0.0, architecture="hmst_ctc_attention_tiny", **options):
    """A model in training mode."""
    return build_model(task, architecture, **SMALL | {"source_ctc_layer": 1, "dropout": dropout} | options).train()


@pytest.fixture
def batch(task):
    """Five examples of st, one of them without a transcript, and two of mt; four twins."""
    batch = batch_of(task, [0, 1, 2, 3, 4, 300, 301], "train")
    assert (batch["twin"] >= 0).sum() == 4
    assert len(batch["id"]) == 11
    return batch


class Recorder:
    """A model that keeps what it was given and what it returned."""

    def __init__(self, model):
        self.model, self.calls = model, []

    @property
    def training(self):
        return self.model.training

    def __call__(self, **net_input):
        output = self.model(**net_input)
        self.calls.append((net_input, output))
        return output


def bits(logged):
    return {name: float(value) for name, value in logged.items()}


def divergence(scores, other_scores):
    """In nats, of (N, V) scores."""
    p, q = scores.log_softmax(-1), other_scores.log_softmax(-1)
    both = [functional.kl_div(*pair, log_target=True, reduction="sum") for pair in ((p, q), (q, p))]
    return float(sum(both)) / 2


def has_source_ctc(batch, row):
    return batch["stream"][row] == 0 and batch["transcript_lengths"][row] >= 0


def expected_rdrop(batch, output):
    """Of each row, from the output for the batch twice."""
    num_rows = len(batch["id"])
    found = []
    for row in range(num_rows):
        length, num_tokens = batch["net_input"]["src_lengths"][row], (batch["target"][row] != 1).sum()
        pairs = {
            "attention": output.attention_logits[[row, num_rows + row], :num_tokens],
            "ctc": output.ctc_logits[[row, num_rows + row], :length],
        }
        if has_source_ctc(batch, row):
            pairs["source_ctc"] = output.source_ctc_logits[[row, num_rows + row], :length]
        found.append(sum(HEADS[head] * divergence(*pair) for head, pair in pairs.items()))
    return found


def expected_consistency(batch, logits):
    """Of each row that has a twin, from one copy's (B, U, V)."""
    found = {}
    for row, twin in enumerate(batch["twin"].tolist()):
        if twin >= 0:
            num_tokens = (batch["target"][row] != 1).sum()
            found[row] = divergence(logits[row, :num_tokens], logits[twin, :num_tokens])
    return found


def expected_losses(task, batch, output, first_row):
    """Label-smoothed cross-entropy and both CTCs of each row, weighed, from the rows of one copy."""
    found = []
    for row, number in enumerate(range(first_row, first_row + len(batch["id"]))):
        target, length = batch["target"][row], output.source_lengths[number]
        attention = functional.cross_entropy(
            output.attention_logits[number], target, ignore_index=1, label_smoothing=0.1, reduction="sum"
        )
        labels = {"ctc": (output.ctc_logits, batch["labels"][row, : batch["label_lengths"][row]])}
        if has_source_ctc(batch, row):
            transcript = batch["transcript"][row, : batch["transcript_lengths"][row]]
            labels["source_ctc"] = (output.source_ctc_logits, task.data_bin.transcript_labels(transcript))
        loss = HEADS["attention"] * float(attention)
        for head, (logits, wanted) in labels.items():
            log_probs = logits[number, :length].log_softmax(-1)
            ctc = functional.ctc_loss(log_probs, wanted, length, torch.tensor(len(wanted)), reduction="sum")
            loss += HEADS[head] * (float(ctc) if ctc.isfinite() else 0.0)
        found.append(loss)
    return found


@pytest.mark.parametrize("weights", [{"rdrop_weight": 2.0}, {"consistency_weight": 3.0}, BOTH])
@pytest.mark.parametrize("mt_weight", [1.0, 0.5])
def test_the_loss_is_that_of_examples_plus_weighed_divergences(task, batch, weights, mt_weight):
    model = Recorder(make_model(task, dropout=0.3))
    torch.manual_seed(5)
    criterion = build_criterion(task, mt_weight=mt_weight, source_ctc_streams="st", **weights)
    loss, sample_size, logged = criterion(model, batch)
    ((net_input, output),) = model.calls  # a single forward pass
    num_copies = 2 if "rdrop_weight" in weights else 1
    for name, values in batch["net_input"].items():
        assert torch.equal(net_input[name], torch.cat([values] * num_copies))
    num_rows, is_text = len(batch["id"]), batch["stream"].tolist()
    copies = [expected_losses(task, batch, output, copy * num_rows) for copy in range(num_copies)]
    losses = [sum(values) / num_copies for values in zip(*copies, strict=True)]
    rdrop = consistency = [0.0] * num_rows
    if num_copies == 2:
        rdrop = expected_rdrop(batch, output)
        losses = [one + 2 * other for one, other in zip(losses, rdrop, strict=True)]
    if "consistency_weight" in weights:
        logits = output.attention_logits.unflatten(0, (num_copies, num_rows))
        by_copy = [expected_consistency(batch, copy) for copy in logits]
        consistency = [sum(copy.get(row, 0.0) for copy in by_copy) / num_copies for row in range(num_rows)]
        losses = [one + 3 * HEADS["attention"] * other for one, other in zip(losses, consistency, strict=True)]
    expected = sum(value * (mt_weight if text else 1) for value, text in zip(losses, is_text, strict=True))
    assert float(loss) * LOSS_UNIT == pytest.approx(expected, rel=1e-5)
    num_tokens = (batch["target"] != 1).sum(1)
    weights_of_rows = torch.tensor([mt_weight if text else 1.0 for text in is_text])
    assert sample_size * LOSS_UNIT == pytest.approx(float((num_tokens * weights_of_rows).sum()))
    for stream, number in (("st", 0), ("mt", 1)):
        rows = [row for row in range(num_rows) if is_text[row] == number]
        assert float(logged[f"{stream}_loss"]) == pytest.approx(sum(losses[row] for row in rows), rel=1e-5)
        assert float(logged[f"{stream}_ntokens"]) == float(num_tokens[rows].sum())
        if num_copies == 2:
            assert float(logged[f"{stream}_rdrop_loss"]) == pytest.approx(sum(rdrop[row] for row in rows), rel=1e-4)
            assert sum(rdrop[row] for row in rows) > 0.1
    if "consistency_weight" in weights:
        assert float(logged["st_consistency_loss"]) == pytest.approx(sum(consistency), rel=1e-4)
        assert sum(consistency) > 0.1


def test_the_logged_losses_of_heads_are_the_mean_over_copies_and_make_up_the_loss(task, batch):
    torch.manual_seed(5)
    loss, _, logged = build_criterion(task, **BOTH)(make_model(task, dropout=0.3), batch)
    names = {name.removeprefix("st_") for name in logged if name.startswith("st_") and name.endswith("_loss")} - {
        "loss"
    }
    sums = {name: float(logged[f"st_{name}"] + logged.get(f"mt_{name}", 0)) for name in names}
    assert set(sums) == {"attention_loss", "ctc_loss", "source_ctc_loss", "rdrop_loss", "consistency_loss"}
    expected = sum(weight * sums[f"{head}_loss"] for head, weight in HEADS.items())
    expected += 2 * sums["rdrop_loss"] + 3 * HEADS["attention"] * sums["consistency_loss"]
    assert float(loss) * LOSS_UNIT == pytest.approx(expected, rel=1e-5)


def test_without_dropout_rdrop_changes_nothing(task, batch):
    model = make_model(task)
    plain = build_criterion(task)(model, batch)
    with_rdrop = build_criterion(task, rdrop_weight=5.0)(model, batch)
    assert float(with_rdrop[0].detach()) == pytest.approx(float(plain[0].detach()), rel=1e-5)
    assert float(with_rdrop[1]) == float(plain[1])
    for name, value in plain[2].items():
        assert float(with_rdrop[2][name]) == pytest.approx(float(value), rel=1e-5), name
    for stream in ("st", "mt"):
        assert float(with_rdrop[2][f"{stream}_rdrop_loss"]) == pytest.approx(0, abs=1e-6)


def test_with_dropout_the_copies_of_an_example_are_dropped_differently(task, batch):
    model = make_model(task, dropout=0.3)
    _, _, logged = build_criterion(task, rdrop_weight=1.0)(model, batch)
    assert float(logged["st_rdrop_loss"] / logged["st_ntokens"]) > 0.01


def test_weight_0_is_to_the_bit_a_single_pass_of_the_batch_itself(task, batch):
    model = Recorder(make_model(task))
    loss, sample_size, logged = build_criterion(task, rdrop_weight=0.0, consistency_weight=0.0)(model, batch)
    ((net_input, _),) = model.calls
    assert all(net_input[name] is values for name, values in batch["net_input"].items())
    in_evaluation = build_criterion(task)(model.model.eval(), batch)  # which has no R-drop and no consistency
    assert torch.equal(loss, in_evaluation[0])
    assert sample_size == in_evaluation[1]
    of_validation = ("correct", "source_word")  # counted there alone
    expected = {
        name: value for name, value in bits(in_evaluation[2]).items() if not any(w in name for w in of_validation)
    }
    assert bits(logged) == expected


def test_validation_knows_neither(task, batch):
    model = make_model(task, dropout=0.3).eval()
    plain = build_criterion(task)(model, batch)
    found = build_criterion(task, **BOTH)(model, batch)
    assert torch.equal(found[0], plain[0])
    assert bits(found[2]) == bits(plain[2])


def test_a_batch_without_twins_logs_the_same_names_and_no_consistency(toy_task, task, batch):
    model, criterion = make_model(task), build_criterion(task, **BOTH)
    _, _, with_twins = criterion(model, batch)
    _, _, without = criterion(model, batch_of(toy_task, [22, 23]))  # of valid, as fairseq's dummy batch
    assert set(with_twins) == set(without)
    assert float(without["st_consistency_loss"]) == 0


def test_text_of_weight_0_learns_from_consistency_alone(task, batch):
    recorder = Recorder(make_model(task))
    loss = build_criterion(task, mt_weight=0.0, consistency_weight=1.0)(recorder, batch)[0]
    (gradient,) = torch.autograd.grad(loss, recorder.calls[0][1].attention_logits)
    is_twin = torch.zeros(len(batch["id"]), dtype=torch.bool)
    is_twin[batch["twin"][batch["twin"] >= 0]] = True
    is_other_text = (batch["stream"] == 1) & ~is_twin
    assert is_other_text.sum() == 2
    assert (gradient[is_other_text] == 0).all()
    assert (gradient[is_twin] != 0).flatten(1).any(1).all()


def test_speech_alone_logs_its_twins_as_text(toy_data_bin):
    task = task_with_twins(toy_data_bin, streams="st")
    batch = batch_of(task, range(4), "train")
    _, _, logged = build_criterion(task, consistency_weight=1.0)(make_model(task), batch)
    is_text = batch["stream"] == 1
    assert float(logged["mt_ntokens"]) == float((batch["target"][is_text] != 1).sum()) > 0
    assert float(logged["mt_attention_loss"]) > 0
    assert not any(name.startswith("mt_") for name in build_criterion(task)(make_model(task), batch)[2])


def test_divergences_are_logged_in_bits_per_target_token(task, batch):
    criterion = build_criterion(task, **BOTH)
    _, _, logged = criterion(make_model(task, dropout=0.3), batch)
    with metrics.aggregate() as aggregated:
        criterion.reduce_metrics([logged, logged])
    values = aggregated.get_smoothed_values()
    for name in ("st_rdrop_loss", "mt_rdrop_loss", "st_consistency_loss"):
        tokens = float(logged[f"{name[:2]}_ntokens"])
        expected = float(logged[name]) / tokens / torch.tensor(2.0).log()
        assert values[name] == pytest.approx(float(expected), abs=5.1e-4)
    assert "mt_consistency_loss" not in values


@pytest.mark.parametrize("name", ["rdrop", "consistency"])
def test_negative_weights_are_refused(task, name):
    with pytest.raises(ValueError, match=f"{name}_weight must be 0 or more and finite, got -0.5"):
        build_criterion(task, **{f"{name}_weight": -0.5})


@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        ("hmst_ctc_tiny", {"consistency_weight": 1.0}, "consistency_weight 1.0 has no effect: .*: ctc 0.3, source_ctc"),
        (
            "hmst_transducer_tiny",
            {"consistency_weight": 1.0},
            "consistency_weight 1.0 has no effect: .*: transducer 0.7, so",
        ),
        ("hmst_ctc_tiny", {"rdrop_weight": 1.0, "rdrop_ctc_weight": 0.0}, "rdrop_weight 1.0 has no effect: "),
        (
            "hmst_ctc_attention_tiny",
            {"rdrop_weight": 1.0, "rdrop_ctc_weight": 5.0, "ctc_weight": 0.0, "source_ctc_weight": 0.0},
            "rdrop_ctc_weight 5.0 has no effect: ",
        ),
        ("hmst_transducer_tiny", {"rdrop_weight": 1.0}, "attention and CTC heads alone; heads .*: transducer 0.7, so"),
        (
            "hmst_ctc_attention_tiny",
            {"consistency_weight": 1.0, "attention_weight": 0.0},
            "consistency_weight 1.0 has no effect: .* their weights: attention 0, ctc 0.3",
        ),
    ],
)
def test_a_model_whose_heads_do_not_serve_is_refused(task, batch, architecture, options, message):
    sizes = {"predictor_dim": 8, "joint_dim": 8} if "transducer" in architecture else {}
    with pytest.raises(ValueError, match=message):
        build_criterion(task, **options)(make_model(task, architecture=architecture, **sizes), batch)


def test_ctc_heads_have_a_weight_of_their_own(task, batch):
    model = make_model(task, dropout=0.3)

    def loss(**options):
        torch.manual_seed(3)
        return build_criterion(task, **options)(model, batch)[0].double()

    plain, attention, ctc = loss(rdrop_weight=1e-9), loss(rdrop_weight=1.0, rdrop_ctc_weight=0.0), None
    ctc = loss(rdrop_weight=0.0, rdrop_ctc_weight=1.0)
    assert float(attention) > float(plain) < float(ctc)
    both = loss(rdrop_weight=2.0, rdrop_ctc_weight=0.5)
    expected = plain + 2.0 * (attention - plain) + 0.5 * (ctc - plain)
    assert float(both) == pytest.approx(float(expected), rel=1e-4)
    assert float(loss(rdrop_weight=2.0, rdrop_ctc_weight=2.0)) == float(loss(rdrop_weight=2.0))


def test_views_of_other_lengths_are_compared_where_they_share_a_part(toy_data_bin):
    task = training_task(toy_data_bin, {"rdrop_weight": 1.0}, sample_pieces="units", sampling_alpha=0.05)
    task.load_dataset("train")
    dataset = task.dataset("train")
    batch = dataset.collater([dataset[index] for index in range(8)])
    assert not torch.equal(batch["net_input"]["src_lengths"], batch["second_view"]["src_lengths"])
    model = Recorder(make_model(task))
    logged = task.criterion(model, batch)[2]
    (_, output) = model.calls[0]
    number, total = len(batch["id"]), 0.0
    for row in range(number):
        steps = [pair for pair in batch["shared_steps"][row].tolist() if pair != [-1, -1]]
        pairs = {
            "attention": output.attention_logits[[row, number + row], : (batch["target"][row] != 1).sum()],
            "ctc": [
                output.ctc_logits[row][[a for a, _ in steps]],
                output.ctc_logits[number + row][[b for _, b in steps]],
            ],
        }
        if has_source_ctc(batch, row):
            logits = output.source_ctc_logits
            pairs["source_ctc"] = [logits[row][[a for a, _ in steps]], logits[number + row][[b for _, b in steps]]]
        total += sum(HEADS[head] * divergence(*pair) for head, pair in pairs.items())
    assert float(logged["st_rdrop_loss"]) == pytest.approx(total, rel=1e-4)


def test_a_weight_of_ctc_views_needs_a_ctc_head(task, batch):
    model = make_model(task, architecture="hmst_aed_tiny", source_ctc_layer=0)
    with pytest.raises(OptionError, match="rdrop_ctc_weight 0.2 has no effect: .* weights: attention 0.7"):
        build_criterion(task, rdrop_weight=1.0, rdrop_ctc_weight=0.2)(model, batch)
    with pytest.raises(OptionError, match="rdrop_ctc_weight 0.0 has no effect: .* weights: attention 0.7"):
        build_criterion(task, rdrop_weight=1.0, rdrop_ctc_weight=0.0)(model, batch)
