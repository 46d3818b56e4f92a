"""Data-bins and model folders with random damage: refused in one line, or they give the same."""

import shutil
from pathlib import Path

import pytest
from damaged_outputs import bounded, content_of, damages, try_damage
from hypothesis import given
from hypothesis import strategies as st
from spoken_corpus import make_corpus, run_binarize
from toy import build_task

from fairseq_hmst.command.check.folder_check import check_folder
from fairseq_hmst.data.data_bin import DataBinError
from fairseq_hmst.translate import ModelFolderError, Translator
from preprocess.errors import UserError
from preprocess.stages.inspect import inspect_data_bin

SENTENCES = ["activated", "please try again"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damaged") / "corpus"
    make_corpus(folder)
    inspect_data_bin(run_binarize(folder), folder / "report")
    return folder


def read_all(data_bin: Path) -> list[str]:
    """All that a training and a decoding read of a data-bin."""
    task = build_task(data_bin)
    task.load_dataset("test")
    task.load_dataset("test_far")
    return [str(task.data_bin.card), *(str([*map(str, task.dataset(name))]) for name in ("train", "valid", "test"))]


def test_a_damaged_data_bin_is_refused_in_one_line_or_reads_the_same(corpus: Path):
    data_bin = corpus / "data-bin"
    expected, files = read_all(data_bin), content_of(data_bin)

    @bounded(40)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        damage = data.draw(damages(files))
        try_damage("data-bin, by the task", damage, data_bin, lambda: read_all(data_bin), expected, DataBinError)

    check()


@pytest.mark.parametrize("output", ["report", "data-bin", "kmeans", "subwords"])
def test_hmst_check_tells_of_any_damage(corpus: Path, output: str):
    folder = corpus / output
    files = content_of(folder)

    def use() -> None:
        for fault in check_folder(folder)[1]:
            raise fault

    @bounded(25)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        damage = data.draw(damages(files))
        # what is not told must be a card of the same content
        changed = [name for name, content in damage.contents.items() if content != files[name]]
        expected = None if all(name.endswith("card.json") for name in changed) else "refused"
        try_damage(f"{output}, by hmst check", damage, folder, use, expected, UserError)

    check()


def test_a_damaged_model_folder_is_refused_in_one_line_or_translates_the_same(model_folder: Path, tmp_path: Path):
    folder = Path(shutil.copytree(model_folder, tmp_path / "model"))
    (folder / "README.md").unlink()  # which a person may edit
    files = content_of(folder)

    def use() -> list[str]:
        return [found.text for found in Translator.from_pretrained(folder).translate_text(SENTENCES)]

    expected = use()

    @bounded(40)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        damage = data.draw(damages(files))
        try_damage("model folder", damage, folder, use, expected, ModelFolderError)

    check()
