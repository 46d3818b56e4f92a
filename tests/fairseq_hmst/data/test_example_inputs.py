"""Inputs of examples: masked, and in two views whose shared tokens spell the same."""

import numpy as np
import pytest
import torch
from toy import build_model, training_task

from fairseq_hmst.tasks.variation import building

RDROP = {"rdrop_weight": 0.5}


@pytest.fixture(scope="module")
def task(toy_data_bin):
    options = {"sample_pieces": "units,source,target", "sampling_alpha": 0.1, "repeat_jitter": "fixed"}
    task = training_task(toy_data_bin, {**RDROP, "consistency_weight": 1.0}, **options)
    task.load_dataset("train")
    return task


def test_both_views_spell_the_same_and_shared_steps_are_where_they_do(task):
    dataset, symbols = task.dataset("train"), task.source_dictionary.symbols
    different = 0
    for index in range(0, len(dataset), 11):
        example = dataset[index]
        for source, second in ((example["source"], example["second"]), (example["twin"], example["twin_second"])):
            if source is None:
                assert second is None
                continue
            different += source.tolist() != second.source.tolist()
            steps = second.shared_steps
            assert steps[0].max() <= 1  # of five repetitions of a letter, the first has no part
            assert steps[-1].tolist() == [len(source) - 1, len(second.source) - 1]  # eos with eos
            assert (np.diff(steps, axis=0) >= 0).all()
            if example["stream"] == 0 and source is example["source"]:
                pieces = [[symbols[token] for token in side.tolist()] for side in (source, second.source)]
                assert "".join(pieces[0]) == "".join(pieces[1])
                for one, other in steps[:-1]:
                    assert set(pieces[0][one]) & set(pieces[1][other])
    assert different > 20


def test_a_batch_holds_the_second_inputs_of_examples_and_twins(task):
    dataset = task.dataset("train")
    examples = [dataset[index] for index in (0, 1, 2, 3, 310, 320)]
    batch = dataset.collater(examples)
    by_id = {example["id"]: example for example in examples}
    assert len(batch["id"]) > len(examples)
    for row, number in enumerate(batch["id"].tolist()):
        example = by_id[number]
        is_twin = example["twin"] is not None and batch["stream"][row] == 1
        second = example["twin_second" if is_twin else "second"]
        length = batch["second_view"]["src_lengths"][row]
        assert batch["second_view"]["src_tokens"][row, :length].tolist() == second.source.tolist()
        assert (batch["second_view"]["src_tokens"][row, length:] == 1).all()
        steps = batch["shared_steps"][row]
        assert steps[: len(second.shared_steps)].tolist() == second.shared_steps.tolist()
        assert (steps[len(second.shared_steps) :] == -1).all()


def test_there_is_a_second_view_only_where_inputs_vary_and_are_compared(toy_data_bin):
    for criterion, options, views in (
        (RDROP, {}, 1),
        (RDROP, {"sample_pieces": "target"}, 1),
        ({}, {"speech_mask_share": 0.1}, 1),
        (RDROP, {"speech_mask_share": 0.1}, 2),
        ({"rdrop_ctc_weight": 0.2}, {"sample_pieces": "units"}, 2),
    ):
        task = training_task(toy_data_bin, criterion, **options)
        task.load_dataset("train")
        dataset = task.dataset("train")
        assert dataset.inputs.num_views == views
        assert ("second_view" in dataset.collater([dataset[0], dataset[1]])) == (views == 2)


def test_masks_of_both_views_differ(toy_data_bin):
    task = training_task(toy_data_bin, RDROP, speech_mask_share=0.3)
    task.load_dataset("train")
    dataset = task.dataset("train")
    pairs = [(dataset[index]["source"], dataset[index]["second"].source) for index in range(100)]
    assert sum(not torch.equal(*pair) for pair in pairs) > 70
    assert all(len(one) == len(other) for one, other in pairs)


def test_padding_and_company_change_no_loss(toy_data_bin, monkeypatch):
    monkeypatch.setattr(building, "DEFAULT_ALPHA", 0.1)
    options = {"sample_pieces": "units,source", "speech_mask_share": 0.2, "text_mask_share": 0.2}
    task = training_task(toy_data_bin, {"rdrop_weight": 0.5, "rdrop_ctc_weight": 0.3}, **options)
    task.load_dataset("train")
    size = {"embed_dim": 16, "ffn_embed_dim": 16, "encoder_layers": 2, "source_ctc_layer": 1, "dropout": 0.0}
    model = build_model(task, "hmst_ctc_attention_tiny", **size).double().train()
    dataset = task.dataset("train")
    rows = [0, 7, 30, 310, 420]
    together = task.criterion(model, dataset.collater([dataset[row] for row in rows]))
    alone = [task.criterion(model, dataset.collater([dataset[row]])) for row in rows]
    assert float(together[0]) == pytest.approx(sum(float(loss) for loss, _, _ in alone), rel=1e-6)
    for name in ("st_rdrop_loss", "mt_rdrop_loss"):
        assert float(together[2][name]) == pytest.approx(sum(float(logged[name]) for *_, logged in alone), rel=1e-5)
        assert float(together[2][name]) > 0
