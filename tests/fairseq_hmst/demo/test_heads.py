"""Answers of all heads to one segment, against translating with each."""

import pytest
from prompt_models import RECORDINGS, random_checkpoint

from fairseq_hmst.demo.answers import Answer, Choices
from fairseq_hmst.demo.heads import DECODINGS, compare_heads
from fairseq_hmst.export import export
from fairseq_hmst.generators import decodings
from fairseq_hmst.translate import Translator

PROMPT = RECORDINGS / "activated.ogg"
HEADS = ("joint", "attention", "ctc")


@pytest.fixture(scope="module")
def several_heads(prompt_data_bin, tmp_path_factory) -> Translator:
    folder = tmp_path_factory.mktemp("heads")
    checkpoint = random_checkpoint(folder / "random.pt", prompt_data_bin, "hmst_ctc_attention")
    export([[checkpoint]], prompt_data_bin, folder / "model")
    return Translator.from_pretrained(folder / "model")


def test_each_head_answers_a_recording_as_if_it_had_been_asked_alone(several_heads):
    answer = Answer(several_heads.translate([PROMPT])[0], Choices(), PROMPT)
    found = compare_heads(several_heads, answer, 0)
    assert [head.decoding for head in found] == list(HEADS)
    for head in found:
        assert head.text == several_heads.with_options(decoding=head.decoding).translate([PROMPT])[0].text
        assert 0 < head.seconds < 60


def test_each_head_answers_a_text_as_if_it_had_been_asked_alone(several_heads):
    line = "Please enter your password."
    found = compare_heads(several_heads, Answer(several_heads.translate_text([line])[0], Choices()), 0)
    assert len({head.text for head in found}) > 1  # heads of a model that has learned nothing do not agree
    for head in found:
        assert head.text == several_heads.with_options(decoding=head.decoding).translate_text([line])[0].text


def test_one_head_has_nothing_beside_it(translator):
    answer = Answer(translator.translate([PROMPT])[0], Choices(), PROMPT)
    assert compare_heads(translator, answer, 0) == []


def test_every_decoding_has_a_name():
    assert DECODINGS.keys() == set(decodings.DECODINGS)
