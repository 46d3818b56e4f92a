"""Data-bins that lack what an option needs, the first and later ones."""

import shutil
from dataclasses import replace

import pytest
from cards import without_transcripts
from token_rows import Rows
from toy import loaded_training, make_toy_data_bin, training_task

from fairseq_hmst.data.stream_rows import load_stream
from fairseq_hmst.tasks.variation import needs
from preprocess.errors import OptionError
from preprocess.files.origin import read_origins


def test_joining_needs_speakers(toy_data_bin, tmp_path):
    data_bin = make_toy_data_bin(tmp_path, speaker="")
    task = training_task(data_bin, join_share=0.5)
    with pytest.raises(OptionError, match="joins rows of one speaker, but .* names none; fill `speaker` in manifests"):
        task.load_dataset("train")


def test_joining_needs_two_rows_of_a_speaker_in_every_data_bin(toy_data_bin, monkeypatch, tmp_path):
    other = shutil.copytree(toy_data_bin, tmp_path / "other")

    def read(path):
        origins = list(read_origins(path))
        is_other = path.is_relative_to(other)
        return [replace(origin, speaker=f"{row}") if is_other else origin for row, origin in enumerate(origins)]

    monkeypatch.setattr(needs, "read_origins", read)
    task = training_task(f"{toy_data_bin}:{other}", join_share=0.5)
    with pytest.raises(OptionError, match="but .*other.* names one sentence of each; fill `speaker`"):
        task.load_dataset("train")


def test_one_sentence_at_several_speeds_is_not_joined_with_itself(toy_data_bin, monkeypatch):
    def load(data_bin, split, name):
        stream = load_stream(data_bin, split, name)
        return replace(stream, targets=Rows([stream.targets[0]] * len(stream.targets)))

    monkeypatch.setattr(needs, "load_stream", load)
    task = training_task(toy_data_bin, join_share=0.5)
    with pytest.raises(OptionError, match="join_share joins rows of one speaker, but .* names one sentence of each"):
        task.load_dataset("train")


def test_speech_is_measured_where_there_is_some(toy_data_bin):
    task = training_task(toy_data_bin, streams="mt", repeat_jitter="normal")
    with pytest.raises(OptionError, match="repeat_jitter normal measures speech, and the training has none: add st"):
        task.load_dataset("train")


def test_text_that_is_not_repeated_has_no_jitter(tmp_path):
    task = training_task(make_toy_data_bin(tmp_path, repeat=1), repeat_jitter="fixed")
    with pytest.raises(OptionError, match="needs text that is repeated: repeat of .*data-bin is 1"):
        task.load_dataset("train")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"repeat_jitter": "normal"},
            "repeat_jitter normal needs speech with transcripts, .*other has none; give fixed",
        ),
        ({"sample_pieces": "source", "streams": "st"}, "source has no effect: .*other has speech without transcripts"),
    ],
)
def test_data_bins_without_transcripts_are_refused_before_their_turn(toy_data_bin, tmp_path, options, message):
    other = without_transcripts(toy_data_bin, tmp_path)
    for data in (other, f"{toy_data_bin}:{other}"):
        with pytest.raises(OptionError, match=message):
            loaded_training(data, **options)
