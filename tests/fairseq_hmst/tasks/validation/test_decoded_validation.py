"""What a validation counts and shows, with a search that knows the targets."""

import json
import logging
import sys
from types import SimpleNamespace

import pytest
import torch
from toy import batch_of, build_model, build_task, toy_sentences

from fairseq_hmst.tasks.validation.sample_board import SampleBoard, draw_alignment
from fairseq_hmst.training.training_events import Sample

SMALL = {"embed_dim": 8, "ffn_embed_dim": 8, "attention_heads": 2, "encoder_layers": 2}


class Perfect:
    """A search whose hypotheses are the targets of a split."""

    def __init__(self, dataset):
        self.dataset = dataset

    def generate(self, models, sample, **options):
        targets = [self.dataset[int(row)]["target"] for row in sample["id"]]
        scores = {"score": torch.zeros(()), "positional_scores": torch.zeros(1)}
        return [[{"tokens": target} | scores] for target in targets]


class Recorder:
    """A writer for TensorBoard that keeps what it is given."""

    def __init__(self):
        self.texts, self.figures = {}, {}

    def add_text(self, tag, text, step):
        self.texts[tag, step] = text

    def add_figure(self, tag, figure, step):
        self.figures[tag, step] = figure

    def flush(self):
        pass


@pytest.fixture(params=["hmst_aed_tiny", "hmst_ctc_tiny"])
def task_and_model(toy_data_bin, request):
    task = build_task(toy_data_bin, eval_bleu=True)
    model = build_model(task, request.param, **SMALL, source_ctc_layer=0)
    task.validation.generator = Perfect(task.dataset("valid"))
    return task, model


def test_every_stream_is_scored_by_itself(task_and_model):
    task, model = task_and_model
    statistics = task.validation.statistics(batch_of(task, [0, 1, 2, 30, 31]), model)
    words = sum(len(toy_sentences(21, seed=1)[row][2].split()) for row in (0, 1, 2))
    assert statistics["_bleu_sys_len"] == statistics["_bleu_counts_1"] == words
    assert 0 < statistics["_mt_bleu_sys_len"] == statistics["_mt_bleu_counts_1"] != words
    alone = task.validation.statistics(batch_of(task, [30, 31]), model)
    assert alone["_mt_bleu_counts_1"] == statistics["_mt_bleu_counts_1"]
    assert alone["_bleu_counts_1"] == 0


def test_three_fixed_samples_are_logged_once_a_validation(task_and_model, caplog):
    task, model = task_and_model
    with caplog.at_level(logging.INFO, "hmst_samples"):
        for num_updates in (10, 10, 20):
            task.post_validate(model, {"num_updates": num_updates}, None)
    events = [json.loads(record.message) for record in caplog.records if record.name == "hmst_samples"]
    assert [event["num_updates"] for event in events] == [10, 20]
    assert events[0]["samples"] == events[1]["samples"]
    sentences = toy_sentences(21, seed=1)
    assert [sample["row"] for sample in events[0]["samples"]] == [3, 10, 17]
    for sample in events[0]["samples"]:
        _, english, french = sentences[sample["row"]]
        assert sample["reference"] == sample["hypothesis"] == french
        assert sample["source"] == ("" if sample["row"] % 7 == 3 else english)


def test_the_board_shows_texts_and_alignments_of_the_samples(task_and_model):
    task, model = task_and_model
    writer = Recorder()
    task.validation.board = SampleBoard(writer, task.data_bin, "auto")
    task.post_validate(model, {"num_updates": 5}, None)
    assert set(writer.texts) == {(f"sample {row}", 5) for row in (3, 10, 17)}
    assert "reference: chat un chat rouge\n\nhypothesis: chat un chat rouge" in writer.texts["sample 3", 5]
    assert {tag for tag, _ in writer.figures} <= {f"alignment {row}" for row in (3, 10, 17)}
    (axes,) = writer.figures["alignment 10", 5].axes
    drawn = axes.images[0].get_array()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert "".join(labels).replace("\u2581", " ").strip() == "bleu"
    assert drawn.shape == (len(labels), len(task.dataset("valid")[10]["source"]))
    assert torch.tensor(drawn).sum(1).tolist() == pytest.approx([1] * len(labels))


def test_an_empty_hypothesis_has_no_picture(task_and_model):
    task, model = task_and_model
    writer = Recorder()
    board = SampleBoard(writer, task.data_bin, "auto")
    batch = batch_of(task, [0])
    board.show_alignment(0, model, batch, 0, torch.tensor([task.target_dictionary.eos()]), 1)
    assert writer.figures == {}
    board.show([Sample(1, "", "un", "deux")], 1)
    assert writer.texts == {("sample 1", 1): "reference: un\n\nhypothesis: deux"}


def test_a_board_is_opened_below_the_folder_of_tensorboard_where_that_is_installed(monkeypatch):
    folders = []
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=folders.append))
    assert SampleBoard.open("runs", None, "auto") is not None
    assert folders == ["runs/samples"]
    assert SampleBoard.open(None, None, "auto") is None
    monkeypatch.setattr("fairseq.distributed.utils.get_global_rank", lambda: 1)
    assert SampleBoard.open("runs", None, "auto") is None
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert SampleBoard.open("runs", None, "auto") is None


def test_a_picture_has_a_row_a_label_and_a_column_a_step():
    figure = draw_alignment(torch.tensor([[1.0, 0, 0], [0, 0.5, 0.5]]), ["a", "b"], "title")
    assert figure.axes[0].images[0].get_array().tolist() == [[1, 0, 0], [0, 0.5, 0.5]]
