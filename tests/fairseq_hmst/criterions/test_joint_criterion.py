import math

import pytest
import torch
from fairseq.logging import metrics
from omegaconf import OmegaConf
from toy import batch_of, build_criterion, build_model, build_task, relabel

from fairseq_hmst.criterions.joint_criterion import LOSS_UNIT
from fairseq_hmst.losses.rnnt import rnnt_loss
from preprocess.errors import OptionError

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
CROSS_ENTROPY = OmegaConf.create({"_name": "cross_entropy", "sentence_avg": False})
ST_ROWS, MT_ROWS = range(5), range(21, 26)


@pytest.fixture(scope="module")
def model(toy_task):
    return build_model(toy_task, "hmst_ctc_attention_tiny", **SMALL | {"source_ctc_layer": 1})


@pytest.fixture(scope="module")
def two_target_task(two_target_data_bin):
    return build_task(two_target_data_bin)


def text_ids(task):
    """(V,) whether an id of the output dictionary is a piece of text: all but fairseq's four and <lang:..>."""
    symbols = task.target_dictionary.symbols
    return torch.tensor([index > 3 and not symbol.startswith("<lang:") for index, symbol in enumerate(symbols)])


def per_token(criterion, model, batch):
    loss, sample_size, logged = criterion(model, batch)
    return float(loss / sample_size), logged


@pytest.mark.parametrize("sentence_avg", [False, True])
def test_st_alone_equals_st_with_mt_of_weight_0(toy_task, model, sentence_avg):
    criterion = build_criterion(toy_task, mt_weight=0.0, sentence_avg=sentence_avg)
    alone, _ = per_token(criterion, model, batch_of(toy_task, ST_ROWS))
    mixed, _ = per_token(criterion, model, batch_of(toy_task, [*ST_ROWS, *MT_ROWS]))
    assert mixed == pytest.approx(alone, rel=1e-5)
    with_mt, _ = per_token(
        build_criterion(toy_task, sentence_avg=sentence_avg), model, batch_of(toy_task, [*ST_ROWS, *MT_ROWS])
    )
    assert with_mt != pytest.approx(alone, rel=1e-3)


def test_a_batch_costs_what_its_examples_cost_one_by_one(toy_task, model):
    criterion = build_criterion(toy_task)
    rows = [*ST_ROWS, *MT_ROWS]
    together = float(criterion(model, batch_of(toy_task, rows))[2]["loss"])
    one_by_one = sum(float(criterion(model, batch_of(toy_task, [row]))[2]["loss"]) for row in rows)
    assert together == pytest.approx(one_by_one, rel=1e-5)


def test_weight_0_leaves_a_head_out(toy_task, model):
    batch = batch_of(toy_task, ST_ROWS)
    full, logged = per_token(build_criterion(toy_task, ctc_weight=0.0, source_ctc_weight=0.0), model, batch)
    tokens = float(logged["st_ntokens"])
    assert full == pytest.approx(float(logged["st_attention_loss"]) / tokens, rel=1e-5)


def test_the_loss_is_the_weighted_mean_over_heads(toy_task, model):
    weights = {"attention_weight": 2.0, "ctc_weight": 1.0, "source_ctc_weight": 5.0}
    _, _, logged = build_criterion(toy_task, **weights)(model, batch_of(toy_task, ST_ROWS))
    sums = [float(logged[f"st_{head}_loss"]) for head in ("attention", "ctc", "source_ctc")]
    assert float(logged["loss"]) == pytest.approx((2 * sums[0] + sums[1] + 5 * sums[2]) / 8, rel=1e-5)


@pytest.mark.parametrize("kind", ["one target", "two targets"])
def test_ctc_losses_equal_torchs_where_an_example_has_a_path(kind, request):
    task = request.getfixturevalue("toy_task" if kind == "one target" else "two_target_task")
    model = build_model(task, "hmst_ctc_tiny", **SMALL | {"source_ctc_layer": 1})
    batch = batch_of(task, range(21))
    _, _, logged = build_criterion(task)(model, batch)
    output = model(**batch["net_input"])
    is_text = text_ids(task)
    losses = []
    for row, target in enumerate(batch["target"]):
        labels = target[is_text[target]]
        length = output.source_lengths[row]
        log_probs = output.ctc_logits[row, :length].log_softmax(-1)
        losses.append(
            torch.nn.functional.ctc_loss(log_probs, labels, length, torch.tensor(len(labels)), reduction="sum")
        )
    losses = torch.stack(losses)
    assert float(logged["st_ctc_loss"]) == pytest.approx(float(losses[losses.isfinite()].sum()), rel=1e-5)
    assert float(logged["st_ctc_infeasible"]) == float(losses.isinf().sum())
    assert losses.isfinite().sum() > 10


@pytest.mark.parametrize("kind", ["one target", "two targets"])
def test_the_transducer_learns_the_text_alone_from_what_its_search_would_see(kind, request):
    task = request.getfixturevalue("toy_task" if kind == "one target" else "two_target_task")
    sizes = SMALL | {"source_ctc_layer": 0, "predictor_dim": 8, "joint_dim": 8}
    model = build_model(task, "hmst_transducer_tiny", **sizes)
    batch = batch_of(task, range(4))
    _, _, logged = build_criterion(task)(model, batch)
    encoder_projected, lengths = model.project_encoder(model.encode(**source_of(batch)))
    expected = 0.0
    for row, target in enumerate(batch["target"]):
        labels = target[text_ids(task)[target]]
        predictor_projected, state = model.start_prediction(1)
        columns = [predictor_projected]
        for label in labels:
            predictor_projected, state = model.predict(label[None], state)
            columns.append(predictor_projected)
        steps = encoder_projected[row, : lengths[row]]
        scores = model.joint_log_probs(
            steps[:, None], torch.stack(columns, 1)
        )  # (T, J) and (U + 1, J) -> (T, U + 1, V)
        num_labels = torch.tensor([len(labels)])
        expected += float(rnnt_loss(scores[None], labels[None], lengths[row][None], num_labels, 0).detach())
    assert float(logged["st_transducer_loss"]) == pytest.approx(expected, rel=1e-5)


def source_of(batch):
    return {name: batch["net_input"][name] for name in ("src_tokens", "src_lengths")}


def test_labels_beyond_their_length_change_no_bit(toy_task):
    """Once rows ended in </s> and padding there, as targets do."""
    model = build_model(toy_task, "hmst_transducer_tiny", **SMALL, target_ctc=True, predictor_dim=8, joint_dim=8)
    gradients = []
    for labels in ("labels", "target"):
        batch = batch_of(toy_task, ST_ROWS)
        relabel(batch, batch[labels][:, : batch["labels"].size(1)], batch["label_lengths"])
        model.zero_grad()
        build_criterion(toy_task)(model, batch)[0].backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    assert (batch_of(toy_task, ST_ROWS)["labels"] != batch["labels"]).any()
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))


def test_the_source_ctc_counts_only_examples_of_its_streams_that_have_a_transcript(toy_task, model):
    assert toy_task.dataset("valid").collater([toy_task.dataset("valid")[3]])["transcript_lengths"].tolist() == [-1]
    without_transcript = batch_of(toy_task, [3])
    text = batch_of(toy_task, MT_ROWS)
    for batch in (without_transcript, text):
        _, _, logged = build_criterion(toy_task, source_ctc_streams="st")(model, batch)
        assert float(logged["st_source_ctc_loss"] + logged["mt_source_ctc_loss"]) == 0


@pytest.mark.parametrize(("streams", "learning"), [("st", {"st"}), ("mt", {"mt"}), ("st,mt", {"st", "mt"})])
def test_the_source_ctc_learns_the_transcripts_of_the_streams_it_is_told(toy_task, model, streams, learning):
    criterion = build_criterion(toy_task, source_ctc_streams=streams)
    _, _, logged = criterion(model, batch_of(toy_task, [*ST_ROWS, *MT_ROWS]))
    assert {name for name in ("st", "mt") if float(logged[f"{name}_source_ctc_loss"]) > 0} == learning


def test_infeasible_examples_cost_nothing_and_are_counted(toy_task, model):
    batch = batch_of(toy_task, ST_ROWS)
    longest = int(batch["net_input"]["src_lengths"].max())
    relabel(batch, torch.full((len(batch["id"]), longest + 2), 5), torch.full_like(batch["id"], longest + 2))
    _, _, logged = build_criterion(toy_task)(model, batch)
    assert float(logged["st_ctc_infeasible"]) == len(ST_ROWS)
    assert float(logged["st_ctc_loss"]) == 0
    assert float(logged["st_attention_loss"]) > 0


def test_the_precision_of_training_does_not_change_that_of_losses(toy_task):
    model = build_model(toy_task, "hmst_ctc_attention_tiny", **SMALL | {"source_ctc_layer": 1}).bfloat16()
    _, _, logged = build_criterion(toy_task)(model, batch_of(toy_task, ST_ROWS))
    assert logged["loss"].dtype == torch.float32
    assert logged["st_ctc_loss"].dtype == torch.float32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ctc_weight": -1.0}, "ctc_weight must be 0 or more and finite, got -1.0"),
        ({"mt_weight": -0.5}, "mt_weight must be 0 or more and finite, got -0.5"),
        ({"mt_weight": math.nan}, "mt_weight must be 0 or more and finite, got nan"),
        ({"rdrop_weight": math.nan}, "rdrop_weight must be 0 or more and finite, got nan"),
        ({"rdrop_ctc_weight": math.inf}, "rdrop_ctc_weight must be 0 or more and finite, got inf"),
    ],
)
def test_weights_that_are_no_weights_are_refused(toy_task, options, message):
    with pytest.raises(OptionError, match=message):
        build_criterion(toy_task, **options)


def test_a_weight_for_a_head_that_the_model_lacks_is_refused(toy_task):
    aed = build_model(toy_task, "hmst_aed_tiny", **SMALL)
    with pytest.raises(ValueError, match="--ctc-weight given, but the model has no such head; it has: attention"):
        build_criterion(toy_task, ctc_weight=0.3)(aed, batch_of(toy_task, ST_ROWS))


def test_all_weights_0_is_refused(toy_task):
    aed = build_model(toy_task, "hmst_aed_tiny", **SMALL)
    with pytest.raises(ValueError, match="there is nothing to learn"):
        build_criterion(toy_task, attention_weight=0.0)(aed, batch_of(toy_task, ST_ROWS))


@pytest.mark.parametrize(
    ("architecture", "streams", "options", "message"),
    [
        ("hmst_ctc", "st,mt", {"label_smoothing": 0.2}, "label_smoothing 0.2 has no effect: .* has: ctc, source_ctc"),
        ("hmst_aed", "st,mt", {"source_ctc_streams": "st"}, "source_ctc_streams st has no effect: .* has: attention"),
        ("hmst_aed", "st", {"mt_weight": 0.5}, "mt_weight 0.5 has no effect with --streams st"),
    ],
)
def test_options_of_what_is_not_there_are_refused(toy_data_bin, architecture, streams, options, message):
    task = build_task(toy_data_bin, streams=streams)
    model = build_model(task, f"{architecture}_tiny", **SMALL)
    with pytest.raises(OptionError, match=message):
        build_criterion(task, **options)(model, batch_of(task, ST_ROWS))


@pytest.mark.parametrize(
    ("architecture", "heads"),
    [
        ("hmst_ctc", "ctc, source_ctc"),
        ("hmst_ctc_attention", "ctc, source_ctc"),
        ("hmst_transducer", "transducer, source_ctc"),
    ],
)
def test_a_criterion_of_fairseq_is_refused_where_it_leaves_heads_untrained(toy_task, architecture, heads):
    build_model(toy_task, f"{architecture}_tiny", **SMALL | {"source_ctc_layer": 1})
    with pytest.raises(OptionError, match=f"criterion cross_entropy trains an attention decoder alone.* has: {heads};"):
        toy_task.build_criterion(CROSS_ENTROPY)
    build_model(toy_task, "hmst_aed_tiny", **SMALL)
    assert toy_task.build_criterion(CROSS_ENTROPY).task is toy_task


def test_the_mean_ctc_loss_is_that_of_the_examples_that_have_a_path(toy_task):
    """Of three examples two are given more labels than steps; torch tells the loss of the other."""
    model = build_model(toy_task, "hmst_ctc_tiny", **SMALL | {"source_ctc_layer": 0})
    names = ("loss", "st_loss", "st_ctc_loss")
    batch = batch_of(toy_task, [0, 1, 2])
    longest = int(batch["net_input"]["src_lengths"].max())
    labels, lengths = batch["labels"], batch["label_lengths"]
    relabel(batch, torch.full((3, longest + 2), 5), torch.tensor([longest + 2, int(lengths[1]), longest + 2]))
    batch["labels"][1, : labels.size(1)] = labels[1]
    output = model(**batch["net_input"])
    steps = output.source_lengths[1]
    log_probs = output.ctc_logits[1, :steps].log_softmax(-1)
    nats = torch.nn.functional.ctc_loss(log_probs, labels[1, : lengths[1]], steps, lengths[1], reduction="sum")
    bits = float(nats) / math.log(2) / int((batch["target"][1] != toy_task.target_dictionary.pad()).sum())
    for sentence_avg in (False, True):
        criterion = build_criterion(toy_task, sentence_avg=sentence_avg)
        loss, sample_size, _ = criterion(model, batch)
        assert sample_size * LOSS_UNIT == (1 if sentence_avg else int((batch["target"][1] != 1).sum()))
        assert float(loss) * LOSS_UNIT == pytest.approx(float(nats), rel=1e-5)
    with metrics.aggregate() as values:
        build_criterion(toy_task).reduce_metrics([build_criterion(toy_task)(model, batch)[2]])
    found = values.get_smoothed_values()
    assert {name: found[name] for name in names} == pytest.approx(dict.fromkeys(names, bits), abs=0.001)
    assert found["st_ctc_infeasible"] == 2
    relabel(batch, torch.full((3, longest + 2), 5), torch.full((3,), longest + 2))
    with metrics.aggregate() as values:
        build_criterion(toy_task).reduce_metrics([build_criterion(toy_task)(model, batch)[2]])
    assert "st_ctc_loss" not in values.get_smoothed_values()


def test_the_mean_source_ctc_loss_is_that_of_the_examples_that_have_a_transcript(toy_task, model):
    found = []
    for rows in ([0, 1, 3], [0, 1]):  # row 3 has no transcript
        with metrics.aggregate() as values:
            build_criterion(toy_task).reduce_metrics([build_criterion(toy_task)(model, batch_of(toy_task, rows))[2]])
        found.append(values.get_smoothed_values()["st_source_ctc_loss"])
    assert found[0] == pytest.approx(found[1], abs=0.001)
