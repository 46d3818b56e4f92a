"""Metrics for the best checkpoint: what validations really log, and which way is better."""

import pytest
from fairseq.logging import metrics
from toy import batch_of, build_criterion, build_model, build_task

from fairseq_hmst.tasks.validation.best_metric import check_best_metric

SMALL = {"embed_dim": 8, "ffn_embed_dim": 8, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}


def begin(data_bin, metric, maximise, **options):
    """Begin a training with this metric, as fairseq does before its first update."""
    options |= {"best_checkpoint_metric": metric, "maximize_best_checkpoint_metric": maximise}
    task = build_task(data_bin, **options)
    model = build_model(task, "hmst_ctc_attention_tiny", **SMALL, source_ctc_layer=1)
    task.criterion = build_criterion(task)
    check_best_metric(task, model)
    return task, model


@pytest.mark.parametrize(
    ("options", "metric", "maximise", "message"),
    [
        (
            {},
            "bleu",
            True,
            "bleu: the validation on .* does not log it; BLEU and chrF need --eval-bleu; it logs loss",
        ),
        ({"eval_bleu": True}, "bleu", False, "bleu: more is better, .*; add --maximize-best-checkpoint-metric"),
        ({"eval_bleu": True}, "mt_chrf", False, "mt_chrf: more is better"),
        ({"eval_bleu": True}, "mt_bleu_bp", False, "mt_bleu_bp: more is better"),
        ({}, "st_accuracy", False, "st_accuracy: more is better"),
        ({}, "loss", True, "loss: less is better, but --maximize-best-checkpoint-metric keeps the largest"),
        ({}, "mt_source_wer", True, "mt_source_wer: less is better"),
        (
            {"streams": "mt", "eval_bleu": True},
            "bleu",
            True,
            "bleu: the validation .* does not log it; it logs .*, mt_bleu, ",
        ),
        ({"eval_bleu": True}, "blue", True, "blue: the validation on 'valid' does not log it; it logs .*, bleu, "),
        ({"streams": "st"}, "mt_loss", False, "mt_loss: the validation on 'valid' does not log it"),
    ],
)
def test_a_metric_that_would_fail_or_keep_the_worst_is_refused_before_the_first_update(
    toy_data_bin, options, metric, maximise, message
):
    with pytest.raises(ValueError, match=f"--best-checkpoint-metric {message}"):
        begin(toy_data_bin, metric, maximise, **options)


def test_a_language_without_examples_in_validation_is_no_metric(two_target_data_bin):
    options = {"eval_bleu": True, "streams": "st"}
    task, model = begin(two_target_data_bin, "bleu_de", True, **options)
    (stream,) = task.dataset("valid").streams
    french = task.data_bin.language_symbols.target_ids["fr"]
    stream.targets = [row for row in stream.targets if row[0] == french]
    with pytest.raises(ValueError, match="bleu_de: the validation on 'valid' does not log it"):
        check_best_metric(task, model)


@pytest.mark.parametrize(("streams", "rows"), [("st,mt", [0, 1, 30]), ("st", [0, 1]), ("mt", [0, 1])])
def test_each_metric_that_is_named_is_logged_and_no_score_of_nothing(toy_data_bin, streams, rows):
    """The names that a refusal lists, against those that fairseq's own meters have after a validation."""
    task, model = begin(toy_data_bin, "loss", False, streams=streams, eval_bleu=True)
    with metrics.aggregate() as values:
        outputs = [task.valid_step(batch_of(task, rows), model, task.criterion.eval())[2]]
        task.reduce_metrics(outputs, task.criterion)
    logged = {name for name in values.get_smoothed_values() if not name.startswith("_")}
    with pytest.raises(ValueError, match="it logs") as refused:
        task.cfg.best_checkpoint_metric = "none"
        check_best_metric(task, model)
    named = str(refused.value).rpartition("it logs ")[2].split(", ")
    counts = {"wps", "wpb", "bsz", *(name for name in logged if name.endswith("_infeasible"))}
    assert logged - counts == set(named)
    assert ("bleu" in logged) == ("st" in streams)
    assert ("mt_bleu" in logged) == ("mt" in streams)


def test_what_fairseq_validate_loads_is_what_streams_names(toy_data_bin):
    """fairseq-validate builds a criterion and gives the configuration of the checkpoint; fairseq-generate has none."""
    for streams in ("st", "mt", "st,mt"):
        task = build_task(toy_data_bin, streams=streams, eval_stream="mt")
        task.load_dataset("test", task_cfg=task.cfg)
        assert [stream.name for stream in task.dataset("test").streams] == ["mt"]
        task.criterion = build_criterion(task)
        for split in ("valid", "test"):
            task.load_dataset(split, task_cfg=task.cfg)
            assert ",".join(stream.name for stream in task.dataset(split).streams) == streams
