"""A language model for the search is refused before it is read, unless its words are the translation's."""

import shutil
from types import SimpleNamespace

import pytest
import torch

from fairseq_hmst.tasks.decoding.language_model import check_language_model_file
from preprocess.errors import OptionError


@pytest.fixture
def data_bin(toy_task, tmp_path):
    """The toy data-bin with its output dictionary as that of a language model."""
    shutil.copyfile(toy_task.data_bin.path / "dict.tgt.txt", tmp_path / "dict.txt")
    return SimpleNamespace(path=tmp_path, target_dictionary=toy_task.target_dictionary)


def language_model(data_bin, num_types):
    path = data_bin.path / "lm.pt"
    torch.save({"model": {"decoder.embed_tokens.weight": torch.zeros(num_types, 4)}}, path)
    return path


def test_one_of_the_same_words_is_taken(data_bin):
    check_language_model_file(language_model(data_bin, len(data_bin.target_dictionary)), data_bin)


def test_a_data_bin_without_its_dictionary_is_named(data_bin):
    (data_bin.path / "dict.txt").unlink()
    with pytest.raises(OptionError, match=r"lm_path .*lm.pt: its dictionary, .*dict.txt, is not there; train it on"):
        check_language_model_file(language_model(data_bin, 1), data_bin)


def test_other_words_of_the_same_number_are_refused(data_bin):
    path = data_bin.path / "dict.txt"
    path.write_text(path.read_text(encoding="utf-8").replace("▁", "_"), encoding="utf-8")
    with pytest.raises(OptionError, match=r"its dictionary, .*dict.txt, is not dict.tgt.txt: \d+ types against"):
        check_language_model_file(language_model(data_bin, len(data_bin.target_dictionary)), data_bin)


def test_a_model_of_another_size_is_refused(data_bin):
    with pytest.raises(OptionError, match=r"it knows 7 types, dict.tgt.txt has \d+"):
        check_language_model_file(language_model(data_bin, 7), data_bin)


def test_a_file_that_is_no_checkpoint_is_refused(data_bin):
    path = data_bin.path / "lm.pt"
    path.write_text("no checkpoint")
    with pytest.raises(OptionError, match="cannot be read as a checkpoint of fairseq-train"):
        check_language_model_file(path, data_bin)


def test_what_fairseq_generate_loads_is_checked_before(toy_task, tmp_path):
    from omegaconf import OmegaConf

    from fairseq_hmst.tasks.hmst_translation import HmstTranslationTask

    task = HmstTranslationTask(OmegaConf.merge(toy_task.cfg, {"lm_path": str(tmp_path / "lm.pt")}))
    with pytest.raises(OptionError, match="its dictionary"):
        task.load_dataset("test", task_cfg=toy_task.cfg)
