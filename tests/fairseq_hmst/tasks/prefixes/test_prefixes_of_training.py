"""Cuts by models of every family, kept beside checkpoints, and what a training makes of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from prompt_models import FAMILIES, random_checkpoint
from toy import build_model, build_task, epoch_rows, training_task

from fairseq_hmst.alignment import align
from fairseq_hmst.checkpoints.reading import CheckpointError
from fairseq_hmst.data.data_bin import DataBinError
from fairseq_hmst.data.stream_rows import load_stream
from fairseq_hmst.tasks.prefixes import kept_cuts
from fairseq_hmst.tasks.prefixes.aligner import Aligner
from fairseq_hmst.tasks.prefixes.kept_cuts import find_cuts
from preprocess.errors import OptionError
from preprocess.files.tokens.ctc_steps import needed_for_ctc

HEADS = {"hmst_aed": "attention", "hmst_ctc": "ctc", "hmst_ctc_attention": "ctc", "hmst_transducer": "transducer"}


@pytest.fixture(scope="module")
def aligner(toy_data_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the data-bin, with CTC on translation and transcript."""
    return random_checkpoint(tmp_path_factory.mktemp("aligner") / "ctc.pt", toy_data_bin)


@pytest.mark.parametrize("family", FAMILIES)
def test_cuts_are_where_the_alignment_of_each_row_alone_parts_its_labels(two_target_data_bin, tmp_path, family):
    task = build_task(two_target_data_bin)
    aligner = Aligner.read(str(random_checkpoint(tmp_path / "model.pt", two_target_data_bin, family)), task)
    assert aligner.head == HEADS[family]
    stream = load_stream(task.data_bin, "valid", "st")
    cuts = aligner.find_cuts(stream, "valid.st")
    first, symbols = 0, task.data_bin.language_symbols
    for row, count in enumerate(cuts.counts):
        target, found = stream.targets[row], cuts.places[first : first + count]
        first += count
        start = symbols.decoder_input(target)[: symbols.num_start_tokens]
        labels = symbols.labels(target)
        if needed_for_ctc(labels.numpy()) > len(stream.sources[row]):
            assert count == 0
            continue
        alignment = align([aligner.model], aligner.head, stream.sources[row], labels, start)[:, 1:-1]
        places = alignment.argmax(1).cummax(0).values
        expected = {(kept, int((places < kept).sum())) for kept in range(1, alignment.size(1))}
        expected = {(kept, cut) for kept, cut in expected if 0 < cut < len(labels)}
        missing = expected - {tuple(place) for place in found[:, :2].tolist()}
        assert len(missing) == len(expected) - count
        spoken = stream.transcripts[row][:-1].numpy()
        for kept, cut in missing:  # without a path of CTC, whose steps are a language symbol and eos besides
            needed = max(needed_for_ctc(labels[:cut].numpy()), needed_for_ctc(spoken))
            assert needed > kept + 2
        assert (np.diff(found, axis=0) >= 0).all()
        assert (found[:, 2] <= len(stream.transcripts[row]) - 1).all()
    assert first == len(cuts.places) > 0
    assert cuts.places[:, 2].max() > 0


def test_a_model_without_source_ctc_cuts_transcripts_off(toy_task):
    model = build_model(toy_task, "hmst_ctc_tiny", embed_dim=16, ffn_embed_dim=16, encoder_layers=1, source_ctc_layer=0)
    cuts = Aligner(model, toy_task.data_bin).find_cuts(load_stream(toy_task.data_bin, "valid", "st"), "valid.st")
    assert len(cuts.places) > 0
    assert not cuts.places[:, 2].any()


def test_a_model_of_another_vocabulary_or_package_is_refused(toy_task, two_target_data_bin, aligner, tmp_path):
    other = random_checkpoint(tmp_path / "other.pt", two_target_data_bin)
    with pytest.raises(DataBinError, match=rf"{other}: belongs to another data-bin: .*same vocabulary and k-means"):
        Aligner.read(str(other), toy_task)
    content = torch.load(aligner, weights_only=False)
    for changes in ({"cfg": {"model": {"_name": "transformer"}}}, {"task_state": {}}):
        torch.save(content | changes, tmp_path / "foreign.pt")
        with pytest.raises(CheckpointError, match=r"foreign\.pt: is of no model of this package"):
            Aligner.read(str(tmp_path / "foreign.pt"), toy_task)
    (tmp_path / "cut.pt").write_bytes(aligner.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="cannot be read as a checkpoint"):
        Aligner.read(str(tmp_path / "cut.pt"), toy_task)
    with pytest.raises(FileNotFoundError):
        find_cuts(toy_task, [toy_task.data_bin], "valid", str(tmp_path / "missing.pt"), None)


def test_cuts_are_found_once_for_a_model_and_a_stream(toy_task, aligner, tmp_path, monkeypatch):
    reads = []

    class Counted(Aligner):
        @classmethod
        def read(cls, path, task):
            reads.append(path)
            return Aligner.read(path, task)

    monkeypatch.setattr(kept_cuts, "Aligner", Counted)

    def find(checkpoint=aligner, split="valid", save_dir=tmp_path / "save"):
        (found,) = find_cuts(toy_task, [toy_task.data_bin], split, str(checkpoint), save_dir and str(save_dir))
        return found.places.tolist(), found.counts.tolist(), len(reads)

    first = find()
    assert find() == first == (*first[:2], 1)
    assert [path.name for path in (tmp_path / "save").iterdir()] == [".cuts.valid.1.npz"]
    other = random_checkpoint(tmp_path / "other.pt", toy_task.data_bin.path, seed=1)
    assert find(other)[2] == 2
    assert find() == (*first[:2], 3)  # that of the other took its place
    (tmp_path / "save" / ".cuts.valid.1.npz").write_bytes(b"damaged")
    assert find() == (*first[:2], 4)
    assert find(save_dir=None) == (*first[:2], 5)
    assert find(split="test")[2] == 6
    assert find()[2] == 6


def test_a_share_of_train_is_cut_and_nothing_else(toy_data_bin, aligner, tmp_path):
    options = {"save_dir": str(tmp_path / "save")}
    whole = training_task(toy_data_bin, **options)
    cut = training_task(toy_data_bin, prefix_share=0.4, prefix_alignment=str(aligner), **options)
    for task in (whole, cut):
        task.load_dataset("train")
        task.load_dataset("valid")
    counts = cut.dataset("train").streams[0].variations[0].cuts.counts
    for epoch in (1, 2):
        pairs = list(zip(epoch_rows(whole, epoch), epoch_rows(cut, epoch), strict=True))
        changed = [row for row, (before, after) in enumerate(pairs) if before != after]
        # of 300 rows 120 are drawn, of which those that can be cut are
        assert len(changed) == pytest.approx(0.4 * (counts > 0).sum(), rel=0.4)
        assert max(changed) < 300
        assert all(counts[row] > 0 for row in changed)
        for row in changed:
            for before, after in zip(*pairs[row], strict=True):
                assert after[-1] == before[-1]
                assert after[:-1] == before[: len(after) - 1]
            (source, target, _), (cut_source, cut_target, _) = pairs[row]
            assert 1 < len(cut_source) < len(source)
            assert 1 < len(cut_target) < len(target)
    assert cut.dataset("valid").streams[0].variations == ()


def test_without_prefixes_nothing_is_kept_and_batches_are_those_of_a_task_that_knows_none(toy_data_bin, tmp_path):
    task = training_task(toy_data_bin, save_dir=str(tmp_path))
    before = epoch_rows(task)
    task.load_dataset("train")
    assert epoch_rows(task) == before
    assert task.dataset("train").streams[0].variations == ()
    assert list(tmp_path.glob(".cuts*")) == []


@pytest.mark.parametrize(
    ("options", "criterion", "message"),
    [
        ({"prefix_share": 1.0, "prefix_alignment": "a.pt"}, {}, r"prefix_share must lie in \[0, 1\), got 1.0"),
        ({"prefix_share": -0.1, "prefix_alignment": "a.pt"}, {}, r"prefix_share must lie in \[0, 1\), got -0.1"),
        ({"prefix_share": float("nan"), "prefix_alignment": "a.pt"}, {}, r"must lie in \[0, 1\), got nan"),
        ({"prefix_share": 0.5}, {}, "prefix_share 0.5 needs --prefix-alignment"),
        ({"prefix_alignment": "a.pt"}, {}, "prefix_alignment a.pt has no effect without --prefix-share"),
        (
            {"prefix_share": 0.5, "prefix_alignment": "a.pt", "streams": "mt"},
            {},
            "prefix_share 0.5 has no effect with --streams mt",
        ),
        (
            {"prefix_share": 0.5, "prefix_alignment": "a.pt"},
            {"consistency_weight": 1.0},
            "prefix_share 0.5 does not go with --consistency-weight",
        ),
    ],
)
def test_options_that_cannot_be_followed_are_refused_in_training_alone(toy_data_bin, options, criterion, message):
    task = training_task(toy_data_bin, criterion, **options)  # which has loaded train without a criterion
    with pytest.raises(OptionError, match=message):
        task.load_dataset("train")
