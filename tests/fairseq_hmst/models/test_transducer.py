"""The transducer model: its loss by the criterion, its sizes and options, and that training and search agree."""

import pytest
import torch
from toy import batch_of, build_criterion, build_model

from fairseq_hmst.losses.rnnt import rnnt_loss

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "source_ctc_layer": 0}
SMALL |= {"predictor_dim": 12, "joint_dim": 10}
KINDS = {
    "lstm": {"predictor": "lstm", "predictor_layers": 2},
    "stateless": {"predictor": "stateless", "predictor_context": 3},
    "conformer": {"encoder_type": "conformer", "target_ctc": True, "source_ctc_layer": 1},
}


@pytest.fixture(params=KINDS)
def model(request, toy_task):
    return build_model(toy_task, "hmst_transducer_tiny", **SMALL | KINDS[request.param])


def transducer_losses(model, task, batch):
    """(B,) as the criterion computes them."""
    return build_criterion(task).head_losses(model(**batch["net_input"]), batch, False).losses["transducer"]


def logits_by_search_methods(model, batch, row):
    """(1, T, U + 1, V) log-probabilities of one utterance, by the methods that the search calls."""
    net_input = batch["net_input"]
    projected, lengths = model.project_encoder(model.encode(net_input["src_tokens"], net_input["src_lengths"]))
    labels = [label for label in batch["target"][row].tolist() if label > model.encoder.dictionary.eos()]
    predictor_out, state = model.start_prediction(1)
    columns = []
    for label in [None, *labels]:
        if label is not None:
            predictor_out, state = model.predict(torch.tensor([label]), state)
        columns.append(model.joint_log_probs(projected[row, : lengths[row]], predictor_out))
    return torch.stack(columns, 1).unsqueeze(0), torch.tensor([labels])


def test_the_criterions_loss_is_that_of_the_scores_that_the_search_sees(model, toy_task):
    batch = batch_of(toy_task, [0, 1, 2])
    losses = transducer_losses(model, toy_task, batch)
    for row in range(3):
        logits, labels = logits_by_search_methods(model, batch, row)
        lengths = torch.tensor([logits.size(1)]), torch.tensor([labels.size(1)])
        expected = rnnt_loss(logits, labels, *lengths, blank_index=model.transducer_blank_index)
        torch.testing.assert_close(losses[row : row + 1], expected, atol=1e-4, rtol=1e-4)


def test_batching_and_padding_change_no_loss(model, toy_task):
    batch = batch_of(toy_task, [0, 1, 2, 22, 25])
    assert len(set(batch["net_input"]["src_lengths"].tolist())) > 1
    together = transducer_losses(model, toy_task, batch)
    alone = [transducer_losses(model, toy_task, batch_of(toy_task, [row])) for row in batch["id"].tolist()]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-4, rtol=1e-4)


def test_the_first_column_and_padding_of_the_shifted_target_are_not_read(model, toy_task):
    batch = batch_of(toy_task, [0, 1, 2, 22, 25])
    expected = transducer_losses(model, toy_task, batch)
    shifted = batch["net_input"]["prev_output_tokens"]
    padding = shifted == toy_task.target_dictionary.pad()
    assert padding.any()
    shifted[:, 0] = 7
    shifted[padding] = 5
    torch.testing.assert_close(transducer_losses(model, toy_task, batch), expected)


def test_every_parameter_receives_a_gradient(model, toy_task):
    loss, _, _ = build_criterion(toy_task)(model.train(), batch_of(toy_task, range(10)))
    loss.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("find_unused_parameters", [False, True])
def test_data_parallel_training_has_the_same_gradients(toy_task, tmp_path, find_unused_parameters):
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel

    model = build_model(toy_task, "hmst_transducer_tiny", **SMALL)
    criterion, batch = build_criterion(toy_task), batch_of(toy_task, range(4))
    criterion(model, batch)[0].backward()
    expected = [parameter.grad.clone() for parameter in model.parameters()]
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        parallel = DistributedDataParallel(model, find_unused_parameters=find_unused_parameters)
        for _ in range(2):  # what was left unfinished shows in the second pass
            parallel.zero_grad()
            criterion(parallel, batch)[0].backward()
    finally:
        distributed.destroy_process_group()
    torch.testing.assert_close([parameter.grad for parameter in model.parameters()], expected)


def test_transducer_comes_first_among_the_decodings(toy_task):
    assert build_model(toy_task, "hmst_transducer_tiny", **SMALL).decodings == ("transducer",)
    with_ctc = build_model(toy_task, "hmst_transducer_tiny", **SMALL, target_ctc=True)
    assert with_ctc.decodings == ("transducer", "ctc")


def test_base_is_the_public_setting(toy_task):
    model = build_model(toy_task, "hmst_transducer_base")
    assert len(model.encoder.layers) == 18
    assert model.source_ctc_layer == 12
    assert (model.predictor.lstm.num_layers, model.predictor.lstm.hidden_size) == (1, 512)
    assert model.joiner.output.in_features == 640


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"predictor": "lstm", "predictor_context": 2}, "--predictor-context 2 has no effect with --predictor lstm"),
        ({"predictor": "stateless", "predictor_layers": 1}, "--predictor-layers 1 has no effect with .* stateless"),
        ({"predictor": "gru"}, "Invalid value 'gru', expected one of .lstm, stateless"),
        ({"predictor_layers": 0}, "--predictor-layers must be at least 1, got 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(toy_task, options, message):
    with pytest.raises(ValueError, match=message):
        build_model(toy_task, "hmst_transducer_tiny", **SMALL | options)


@pytest.mark.parametrize("kind", ["lstm", "stateless"])
def test_a_checkpoint_brings_back_options_and_scores(toy_task, toy_data_bin, tmp_path, kind):
    from fairseq import checkpoint_utils
    from fairseq.dataclass.configs import FairseqConfig
    from omegaconf import OmegaConf

    model = build_model(toy_task, "hmst_transducer_tiny", **SMALL | KINDS[kind])
    config = OmegaConf.merge(
        OmegaConf.structured(FairseqConfig),
        {"model": {"_name": "hmst_transducer", **SMALL, **KINDS[kind]}},
        {"task": {"_name": "hmst_translation", "data": str(toy_data_bin)}},
    )
    config = OmegaConf.to_container(config, enum_to_str=True)
    state = {"cfg": config, "model": model.state_dict(), "task_state": toy_task.state_dict()}
    # what fairseq's loader asks of a trainer's checkpoint besides
    state["optimizer_history"] = [{"optimizer_name": "none", "lr_scheduler_state": {}, "num_updates": 0}]
    state["extra_state"] = {"train_iterator": {"epoch": 1}}
    torch.save(state, tmp_path / "checkpoint.pt")
    (loaded,), _ = checkpoint_utils.load_model_ensemble([str(tmp_path / "checkpoint.pt")], task=toy_task)
    batch = batch_of(toy_task, [0, 1, 2])
    expected = transducer_losses(model, toy_task, batch)
    torch.testing.assert_close(transducer_losses(loaded.eval(), toy_task, batch), expected)
