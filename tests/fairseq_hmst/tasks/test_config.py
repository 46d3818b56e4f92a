"""Options of the task that follow others of fairseq's, with those and without."""

import argparse

import pytest
from fairseq.tasks import setup_task
from omegaconf import OmegaConf

from fairseq_hmst.tasks.config import FOLLOWING, HmstTranslationConfig, standalone
from fairseq_hmst.tasks.hmst_translation import HmstTranslationTask

OTHERS = {
    "checkpoint": {"best_checkpoint_metric": "st_bleu", "maximize_best_checkpoint_metric": True, "save_dir": "folder"}
    | {"no_save": True},
    "common": {"seed": 7, "tensorboard_logdir": "log"},
    "generation": {"lm_path": "lm.pt"},
    "ema": {"store_ema": True},
    "dataset": {"valid_subset": "valid,valid1", "max_tokens": 400},
}


def fields_of_others() -> dict[str, str]:
    fields = HmstTranslationConfig.__dataclass_fields__.values()
    return {field.name: field.default[2:-1] for field in fields if str(field.default).startswith("${")}


def test_each_option_that_follows_another_has_fairseqs_default_but_for_the_folder_of_a_training():
    assert set(FOLLOWING) == set(fields_of_others())
    found = (FOLLOWING["best_checkpoint_metric"], FOLLOWING["seed"], FOLLOWING["max_tokens"], FOLLOWING["save_dir"])
    assert found == ("loss", 1, None, None)


@pytest.mark.parametrize(
    "build",
    [
        lambda data: HmstTranslationTask(HmstTranslationConfig(data=data)),
        lambda data: HmstTranslationTask(OmegaConf.merge(OmegaConf.structured(HmstTranslationConfig), {"data": data})),
        lambda data: HmstTranslationTask.setup_task(HmstTranslationConfig(data=data)),
        lambda data: setup_task(OmegaConf.create({"_name": "hmst_translation", "data": data})),
        lambda data: setup_task(OmegaConf.create({"_name": "hmst_translation", "data": data}), from_checkpoint=True),
        lambda data: setup_task(argparse.Namespace(task="hmst_translation", data=data)),
    ],
    ids=["dataclass", "options", "setup_task of the class", "group", "group of a checkpoint", "command line"],
)
def test_a_task_needs_no_options_but_its_own(toy_data_bin, build):
    task = build(str(toy_data_bin))
    assert {name: task.cfg[name] for name in FOLLOWING} == FOLLOWING
    task.load_dataset("test", task_cfg=OmegaConf.create({"data": "of an older version"}))
    assert len(task.dataset("test")) == 21


@pytest.mark.parametrize("without", [None, *OTHERS])
def test_options_of_the_other_groups_are_followed_where_they_are(without):
    groups = {name: group for name, group in OTHERS.items() if name != without}
    config = OmegaConf.create({"task": OmegaConf.structured(HmstTranslationConfig), **groups})
    found = standalone(config.task)
    given = {name: OTHERS[other.split(".")[0]][name] for name, other in fields_of_others().items()}
    missing = {name for name, other in fields_of_others().items() if other.split(".")[0] == without}
    assert {name: found[name] for name in given} == given | {name: FOLLOWING[name] for name in missing}
