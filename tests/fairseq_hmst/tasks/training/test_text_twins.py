"""Text twins are made for training alone and where the criterion asks for them, and a training with them runs."""

import pytest
from cards import without_transcripts
from omegaconf import OmegaConf
from toy import build_task, task_with_twins, training_task
from training import train

from fairseq_hmst.criterions.joint_criterion import JointCriterionConfig
from fairseq_hmst.data.data_bin import DataBinError
from preprocess.errors import OptionError


def build_criterion_by_fairseq(task, **options):
    config = OmegaConf.merge(OmegaConf.structured(JointCriterionConfig), {"_name": "hmst_joint"}, options)
    return task.build_criterion(OmegaConf.merge(config, {"sentence_avg": False}))


@pytest.mark.parametrize(("weight", "num_twins"), [(0.0, 0), (0.5, 257)])
def test_train_has_twins_where_the_criterion_asks_and_other_splits_have_none(toy_data_bin, weight, num_twins):
    task = build_task(toy_data_bin)
    build_criterion_by_fairseq(task, consistency_weight=weight, rdrop_weight=1.0)
    for split in ("train", "valid", "test"):
        task.load_dataset(split)
        dataset = task.dataset(split)
        found = sum(dataset[i]["twin"] is not None for i in range(len(dataset)))
        assert found == (num_twins if split == "train" else 0)


def test_twins_come_beside_the_text_stream_and_do_not_change_the_number_of_examples(toy_data_bin):
    sizes = [len(make(toy_data_bin, mt_passes=0.5).dataset("train")) for make in (build_task, task_with_twins)]
    assert sizes[0] == sizes[1]


def test_without_speech_there_is_nothing_to_compare(toy_data_bin):
    task = training_task(toy_data_bin, {"consistency_weight": 1.0}, streams="mt")
    with pytest.raises(OptionError, match="compares speech with its transcript, and --streams is mt; add st"):
        task.load_dataset("train")


def test_data_without_transcripts_is_refused_before_its_turn(toy_data_bin, tmp_path):
    other = without_transcripts(toy_data_bin, tmp_path)
    message = f"{other}: no example of 'train.st' has a transcript, of which --consistency-weight makes its text twin"
    for data in (other, f"{toy_data_bin}:{other}"):
        with pytest.raises(DataBinError, match=message):
            task_with_twins(data)


OPTIONS = "--rdrop-weight 0.5 --consistency-weight 0.5 --source-ctc-layer 1 --max-tokens 400 --log-interval 1".split()


def test_a_training_logs_both(toy_data_bin, tmp_path):
    command = [*OPTIONS, "--streams", "st", "--max-update", 4, "--disable-validation"]
    logged = train(toy_data_bin, tmp_path, *command, arch="hmst_ctc_attention_tiny")
    assert len(logged) == 4
    for log in logged:
        assert float(log["st_rdrop_loss"]) > 0
        assert float(log["mt_rdrop_loss"]) > 0
        assert float(log["st_consistency_loss"]) > 0
        assert float(log["mt_attention_loss"]) > 0
