"""Translating, and what the page shows of a translation, on a GPU that is not there."""

import numpy as np
import pytest
import torch
from prompt_models import RECORDINGS, random_checkpoint
from second_device import MixedDevices, second_device

from fairseq_hmst.demo.answers import Answer, Choices
from fairseq_hmst.demo.heads import compare_heads
from fairseq_hmst.demo.picture import make_picture
from fairseq_hmst.export import export
from fairseq_hmst.translate import Translator

PROMPT = RECORDINGS / "activated.ogg"
LINE = "Please enter your password."
FAMILIES = ["hmst_ctc_attention", "hmst_transducer"]


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, prompt_data_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    export(
        [[random_checkpoint(folder / "random.pt", prompt_data_bin, request.param)]], prompt_data_bin, folder / "model"
    )
    return folder / "model"


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with second_device() as mode:
        yield mode


def outcome(translator):
    answers = [Answer(translator.translate([PROMPT])[0], Choices(), PROMPT)]
    answers.append(Answer(translator.translate_text([LINE])[0], Choices()))
    heads = [[head.text for head in compare_heads(translator, answer, 0)] for answer in answers]
    weights = []
    for answer in answers:
        segment = answer.translation.segments[0]
        picture = make_picture(translator, segment, segment.nbest[0], None, answer.recording)
        weights.append((picture.tokens, picture.weights))
    return [answer.translation for answer in answers], heads, weights


def test_translations_heads_and_pictures_are_those_of_the_cpu(folder, gpu):
    translations, heads, weights = outcome(Translator.from_pretrained(folder))
    assert not gpu.operations
    found, found_heads, found_weights = outcome(Translator.from_pretrained(folder, device="cuda"))
    assert gpu.operations > 100
    assert [each.text for each in found] == [each.text for each in translations]
    assert [each.segments[0].units for each in found] == [each.segments[0].units for each in translations]
    assert found_heads == heads
    for (tokens, shares), (expected_tokens, expected) in zip(found_weights, weights, strict=True):
        assert tokens == expected_tokens
        np.testing.assert_allclose(shares, expected, atol=1e-4)


def test_a_tensor_that_was_left_on_the_cpu_is_found(folder, gpu, monkeypatch):
    translator = Translator.from_pretrained(folder, device="cuda")
    monkeypatch.setattr("fairseq_hmst.translate.decoder.utils.apply_to_sample", lambda function, sample: sample)
    with pytest.raises(MixedDevices):
        translator.translate_text([LINE])
