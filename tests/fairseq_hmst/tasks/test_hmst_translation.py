import pytest
import torch
from omegaconf import OmegaConf
from toy import build_task, make_toy_data_bin, toy_sentences

from fairseq_hmst.data.data_bin import DataBinError
from fairseq_hmst.tasks.config import refuse_without_effect
from fairseq_hmst.tasks.subword_codec import SubwordCodec
from preprocess.errors import OptionError


def text_of(task, tokens):
    return SubwordCodec(task.data_bin, "st").decode(task.target_dictionary.string(tokens))


def test_what_the_task_reads_is_what_was_binarized(toy_task):
    rows = toy_sentences(21, seed=1)  # the dev split
    dataset = toy_task.dataset("valid")
    unit_codec = SubwordCodec(toy_task.data_bin, "st")
    text_codec = SubwordCodec(toy_task.data_bin, "mt")
    for number, (units, _, french) in enumerate(rows):
        example = dataset[number]
        expected = unit_codec.encode(" ".join(map(str, units)))
        assert toy_task.source_dictionary.string(example["source"]) == expected
        assert text_of(toy_task, example["target"]) == french
        assert example["source"][-1] == example["target"][-1] == toy_task.target_dictionary.eos()
    transcribed = [row for number, row in enumerate(rows) if number % 7 != 3]
    assert len(dataset) == len(rows) + len(transcribed)
    for number, (_, english, french) in enumerate(transcribed):
        example = dataset[len(rows) + number]
        assert toy_task.source_dictionary.string(example["source"]) == text_codec.encode(english)
        assert text_of(toy_task, example["target"]) == french


def test_no_token_of_speech_or_text_is_shared_or_unknown(toy_task):
    dataset = toy_task.dataset("train")
    seen = [set(), set()]
    for index in range(len(dataset)):
        example = dataset[index]
        seen[example["stream"]] |= set(example["source"].tolist())
    assert seen[0] & seen[1] == {toy_task.source_dictionary.eos()}
    assert toy_task.source_dictionary.unk() not in seen[0] | seen[1]


def test_streams_choose_what_is_trained_on(toy_data_bin):
    sizes = {
        streams: len(build_task(toy_data_bin, streams=streams).dataset("train")) for streams in ("st", "mt", "st,mt")
    }
    assert sizes["st"] == 300
    assert sizes["st,mt"] == sizes["st"] + sizes["mt"]
    assert len(build_task(toy_data_bin, mt_passes=0.0).dataset("train")) == 300


def test_test_sets_hold_the_eval_stream_alone(toy_data_bin):
    task = build_task(toy_data_bin, eval_stream="mt")
    task.load_dataset("test")
    assert {task.dataset("test")[i]["stream"] for i in range(len(task.dataset("test")))} == {1}


def test_what_fairseq_generate_loads_holds_the_eval_stream_alone(toy_data_bin):
    task = build_task(toy_data_bin)
    assert len(task.dataset("valid")) > 21
    task.load_dataset("valid", task_cfg=task.cfg)  # of a checkpoint
    assert {task.dataset("valid")[i]["stream"] for i in range(len(task.dataset("valid")))} == {0}


@pytest.mark.parametrize("streams", ["speech", "st,st", ""])
def test_unknown_streams_are_refused(toy_data_bin, streams):
    with pytest.raises(OptionError, match=f"streams must be st,mt or st or mt, got '{streams}'"):
        build_task(toy_data_bin, streams=streams)


@pytest.mark.parametrize(
    "options", [{"eval_bleu_beam": 2}, {"decoding": "ctc"}, {"ctc_decode_weight": 0.3}, {"bleu_tokenizer": "char"}]
)
def test_options_of_eval_bleu_are_refused_without_it(toy_data_bin, options):
    (name,) = options
    with pytest.raises(OptionError, match=f"{name} .* has no effect on a training without --eval-bleu"):
        refuse_without_effect(build_task(toy_data_bin, **options).cfg)
    refuse_without_effect(build_task(toy_data_bin, **options, eval_bleu=True).cfg)


def test_an_architecture_of_fairseq_is_refused(toy_task):
    with pytest.raises(OptionError, match="arch transformer is not of this package, whose task trains: hmst_aed, "):
        toy_task.build_model(OmegaConf.create({"_name": "transformer"}))


def test_a_missing_split_is_named_with_those_there_are(toy_task):
    with pytest.raises(DataBinError, match="has no stream 'test2.st'; it has: test.mt, test.st, train.mt"):
        toy_task.load_dataset("test2")


def test_a_checkpoint_of_another_data_bin_is_refused(toy_task, tmp_path):
    other = build_task(make_toy_data_bin(tmp_path, seed=5))
    other.load_state_dict(other.state_dict())
    with pytest.raises(DataBinError, match="the checkpoint belongs to another data-bin: one with a dict"):
        other.load_state_dict(toy_task.state_dict())


def test_constraints_are_refused(toy_task):
    with pytest.raises(ValueError, match="--constraints is not supported"):
        toy_task.build_dataset_for_inference([torch.tensor([4, 2])], [2], constraints=[[1]])


def test_examples_of_train_alone_are_shuffled_anew_in_each_epoch(toy_data_bin):
    task = build_task(toy_data_bin)
    for split, is_shuffled in (("train", True), ("valid", False)):
        dataset = task.dataset(split)
        assert dataset.shuffle == is_shuffled
        orders = []
        for epoch in (1, 2):
            dataset.set_epoch(epoch)
            orders.append(dataset.ordered_indices().tolist())
        assert (orders[0] != orders[1]) == is_shuffled
        assert sorted(orders[0]) == sorted(orders[1])
