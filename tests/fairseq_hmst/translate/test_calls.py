"""Calls of Translator: one input or many, options for one call, and what the machine may change."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from prompt_models import FAMILIES, PROMPTS, random_checkpoint, rows_of_test

from fairseq_hmst.export import export
from fairseq_hmst.model_folder.folder import ModelFolder
from fairseq_hmst.translate import Translation, TranslationError, Translator
from fairseq_hmst.translate.machine import MachineOptions
from fairseq_hmst.translate.options import SegmentLengths, TranslationOptions
from preprocess.errors import OptionError

ENGLISH = [row["en"] for row in rows_of_test()]


def found(translations) -> list[tuple[str, list[str]]]:
    return [(item.text, [best.text for best in item.segments[0].nbest]) for item in translations]


def test_one_input_gives_one_translation_and_several_give_a_list(translator):
    alone = translator.translate(str(PROMPTS[0]))
    assert isinstance(alone, Translation)
    assert [alone] == translator.translate([PROMPTS[0]]) == translator.translate(iter(PROMPTS[:1]))
    assert list(translator.stream(PROMPTS[0])) == [alone]
    line = translator.translate_text("please")
    assert isinstance(line, Translation)
    assert line.source == "please"
    assert [line] == translator.translate_text(["please"]) == list(translator.stream_text("please"))
    recording = translator.recordings(PROMPTS[0])
    assert [recording.seconds] == [item.seconds for item in translator.recordings(PROMPTS[:1])]
    assert list(translator.stream(recording)) == [alone]
    assert translator.translate([]) == translator.translate_text([]) == []


def test_a_pickle_opens_the_folder_again(translator):
    chosen = translator.with_options(nbest=2, beam=3)
    again = pickle.loads(pickle.dumps(chosen))
    assert again.options == chosen.options
    assert again.translate_text(ENGLISH[:2]) == chosen.translate_text(ENGLISH[:2])


def test_sound_in_memory_is_translated_as_its_file_and_cut_as_a_long_one(translator, long_recording):
    path, _ = long_recording
    samples, rate = soundfile.read(path, dtype="float32")
    expected = translator.translate(path).segments
    assert len(expected) > 4
    inputs = [path.read_bytes(), {"array": samples, "sampling_rate": rate}, torch.from_numpy(samples)]
    translations = [*translator.translate(inputs[:2]), translator.translate(inputs[2], sampling_rate=rate)]
    for number, translation in zip((1, 2, 1), translations, strict=True):
        assert translation.source == f"recording {number}"
        assert translation.segments == expected


def test_a_waveform_that_cannot_be_translated_is_a_fault_as_a_file_is(translator):
    samples, rate = soundfile.read(PROMPTS[0], dtype="float32")
    bad = [np.full(rate, np.nan, np.float32), samples[:10], samples * 100, np.zeros((3, 3, 3)), np.zeros(0)]
    reasons = ["NaN or infinite", "too short", "expected floats scaled", "expected a waveform of shape", "too short"]
    translations = translator.translate([samples, *bad], skip_faults=True, sampling_rate=rate)
    assert translations[0].segments == translator.translate(PROMPTS[0]).segments
    for number, (translation, reason) in enumerate(zip(translations[1:], reasons, strict=True), start=2):
        assert reason in str(translation.fault)
        assert str(translation.failure).startswith(f"recording {number}: ")
        assert str(translation.failure).count("recording") == 1
    with pytest.raises(TranslationError, match="recording 2: too short"):
        translator.translate([samples, samples[:10]], sampling_rate=rate)


def test_what_is_no_input_is_refused(translator):
    with pytest.raises(TypeError, match="expected lines of text, found int"):
        translator.translate_text(b"please")
    with pytest.raises(TypeError, match="expected lines of text, found NoneType"):
        translator.translate_text(None)
    with pytest.raises(TypeError, match="found int; a waveform is given as"):
        translator.translate((np.zeros(9000), 16_000), sampling_rate=16_000)
    with pytest.raises(TypeError, match="expected speech or several inputs of speech, found NoneType"):
        translator.translate(None)


def test_inputs_are_read_as_they_are_needed(translator, monkeypatch):
    monkeypatch.setattr("fairseq_hmst.translate.translator.GROUP_SECONDS", 1.0)
    read = []
    stream = translator.stream(read.append(path) or path for path in PROMPTS)
    next(stream)
    assert len(read) == 2  # the second closed the group of the first


def test_options_of_a_call_hold_for_that_call_alone(translator):
    plain = found(translator.translate(PROMPTS[:3]))
    options = {"beam": 3, "nbest": 2, "lenpen": 0.0}
    expected = found(translator.with_options(**options).translate(PROMPTS[:3]))
    assert found(translator.translate(PROMPTS[:3], **options)) == expected != plain
    assert found(translator.stream(PROMPTS[:3], **options)) == expected
    assert found(translator.translate(PROMPTS[:3])) == plain
    assert [len(item.segments[0].nbest) for item in translator.translate_text(ENGLISH[:2], nbest=2)] == [2, 2]
    assert len(translator.translate_text(ENGLISH[0]).segments[0].nbest) == 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"beem": 5}, TypeError, "unknown option 'beem'; did you mean 'beam'?"),
        ({"colour": 5}, TypeError, "unknown option 'colour'; there are decoding, beam, lenpen"),
        ({"beam": 0}, OptionError, "beam must be at least 1, got 0"),
        ({"nbest": 9}, OptionError, "nbest must lie in 1..5, the beam, got 9"),
        ({"decoding": "joint"}, OptionError, "decoding joint: the model has no head for it; it can decode by: ctc"),
        ({"ctc_decode_weight": 0.3}, OptionError, "ctc_decode_weight 0.3 has no effect with decoding ctc"),
        ({"target_language": "fr"}, OptionError, "target_language fr has no effect"),
        ({"max_tokens": 0}, OptionError, "max_tokens must be at least 1, got 0"),
    ],
)
def test_an_option_is_refused_at_a_call_as_when_the_model_is_opened(translator, model_folder, options, error, message):
    for call in (
        lambda: translator.translate(PROMPTS[0], **options),
        lambda: translator.translate_text("please", **options),
        lambda: Translator.from_pretrained(model_folder, **options),
    ):
        with pytest.raises(error) as raised:
            call()
        assert message in str(raised.value)
        assert "--" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cude"}, "device cude: cannot be used here: torch knows no such device"),
        ({"dtype": "int8"}, "dtype must be one of float32, bfloat16, float16, got 'int8'"),
        ({"threads": 0}, "threads must be at least 1, got 0"),
        ({"encoder": "folder"}, "encoder folder has no effect"),
    ],
)
def test_options_of_the_machine_are_refused_by_their_names(translator, model_folder, options, message):
    with pytest.raises(OptionError) as raised:
        Translator.from_pretrained(model_folder, **options)
    assert str(raised.value).startswith(message)
    with pytest.raises(TypeError, match="is chosen when a model is opened"):
        translator.translate(PROMPTS[0], **options)


@pytest.fixture(scope="module", params=FAMILIES)
def family_folder(request, prompt_data_bin, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    export([[random_checkpoint(folder / "c.pt", prompt_data_bin, request.param)]], prompt_data_bin, folder / "model")
    return folder / "model"


def test_batches_change_nothing_and_half_precision_little(family_folder):
    translator = Translator.from_pretrained(family_folder)
    expected = translator.translate(PROMPTS)
    for max_tokens in (1, 70):
        again = translator.translate(PROMPTS, max_tokens=max_tokens)
        assert [item.text for item in again] == [item.text for item in expected]
        assert [item.score for item in again] == pytest.approx([item.score for item in expected], rel=1e-4)
    half = Translator.from_pretrained(family_folder, dtype="bfloat16")
    assert {parameter.dtype for model in half.models for parameter in model.parameters()} == {torch.bfloat16}
    scores = [item.score for item in half.translate(PROMPTS)]
    assert scores != [item.score for item in expected]
    assert scores == pytest.approx([item.score for item in expected], rel=0.1)
    assert half.translate(PROMPTS[0]).segments[0].units == expected[0].segments[0].units


def test_batches_are_as_large_as_was_asked_for(translator, monkeypatch):
    decode = type(translator.decoder)._decode_batch
    sizes = []

    def counted(decoder, sample):
        sizes.append(tuple(sample["net_input"]["src_tokens"].shape))
        return decode(decoder, sample)

    monkeypatch.setattr(type(translator.decoder), "_decode_batch", counted)
    translator.translate_text(ENGLISH)
    assert len(sizes) == 1
    longest = sizes[0][1]
    for max_tokens in (1, 2 * longest):
        sizes.clear()
        translator.translate_text(ENGLISH, max_tokens=max_tokens)
        assert all(rows == 1 or rows * length <= max_tokens for rows, length in sizes)
        assert sum(rows for rows, _ in sizes) == len(ENGLISH)
        assert (max(rows for rows, _ in sizes) > 1) == (max_tokens > 1)


def test_threads_hold_while_it_translates_and_are_the_programs_again_after(model_folder, monkeypatch):
    before = torch.get_num_threads()
    translator = Translator.from_pretrained(model_folder, threads=before + 1)
    decode = type(translator.decoder).decode
    seen = []

    def observed(*arguments):
        seen.append(torch.get_num_threads())
        return decode(*arguments)

    monkeypatch.setattr(type(translator.decoder), "decode", observed)
    for _ in translator.stream(PROMPTS[0]):
        assert torch.get_num_threads() == before
    assert seen == [before + 1]
    assert torch.get_num_threads() == before


def test_calls_of_several_threads_with_options_of_their_own_do_not_disturb_each_other(translator, monkeypatch):
    expected = {beam: found(translator.translate(PROMPTS[:4], beam=beam)) for beam in (1, 2, 5)}
    decode = type(translator.decoder).decode
    inside = threading.Semaphore(1)

    def watched(*arguments):
        assert inside.acquire(blocking=False)
        try:
            return decode(*arguments)
        finally:
            inside.release()

    monkeypatch.setattr(type(translator.decoder), "decode", watched)
    with ThreadPoolExecutor(3) as pool:
        beams = [1, 2, 5] * 3
        results = pool.map(lambda beam: found(translator.translate(PROMPTS[:4], beam=beam)), beams)
        for beam, result in zip(beams, results, strict=True):
            assert result == expected[beam]


def test_segments_are_as_long_as_the_trainings_recordings(translator, model_folder, monkeypatch):
    lengths = [soundfile.info(path).duration for path in PROMPTS]
    card = translator.folder.card
    assert min(lengths) < card.long_training_seconds < 6  # prompts of one to three seconds, and a few longer ones
    assert translator.max_segment_seconds == card.long_training_seconds
    assert translator.with_options(max_segment_seconds=9).max_segment_seconds == 9
    older = ModelFolder(model_folder, replace(card, long_training_seconds=None), translator.folder.config)
    monkeypatch.setattr(ModelFolder, "open", lambda name: older)
    assert Translator.from_pretrained(model_folder).max_segment_seconds == 20


def test_default_lengths_follow_the_training_within_bounds():
    options = TranslationOptions()
    assert options.segment_lengths(2.0) == SegmentLengths(longest=2.0, whole=3.0)
    assert options.segment_lengths(0.4) == SegmentLengths(longest=1.0, whole=1.5)
    assert options.segment_lengths(90.0) == SegmentLengths(longest=60.0, whole=60.0)
    assert options.segment_lengths(None) == SegmentLengths(longest=20.0, whole=20.0)
    assert TranslationOptions(max_segment_seconds=7).segment_lengths(2.0) == SegmentLengths(longest=7, whole=7)


def test_a_dtype_that_the_device_lacks_is_refused(monkeypatch):
    def lacking(device, dtype):
        if dtype == "float16":
            raise RuntimeError("not implemented for 'Half'")

    monkeypatch.setattr("fairseq_hmst.translate.machine._compute", lacking)
    with pytest.raises(OptionError, match="dtype float16: the device cpu has none: not implemented for 'Half'"):
        MachineOptions(dtype="float16")
