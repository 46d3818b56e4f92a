"""Translator, on recordings, manifests and text, in one language and in several."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from prompt_models import (
    FAMILIES,
    PROMPTS,
    RECORDINGS,
    audio_of,
    generate_here,
    make_prompt_data_bin,
    random_checkpoint,
    rows_of_test,
    run_translate,
    train_here,
    write_bad_files,
)

from fairseq_hmst.export import export
from fairseq_hmst.translate import TranslationError, Translator
from preprocess.files.units import read_units
from preprocess.speech.audio import load_audio


@pytest.fixture(scope="module")
def joint_folder(prompt_data_bin, tmp_path_factory) -> Path:
    """A model that can decode by attention, CTC and both."""
    folder = tmp_path_factory.mktemp("joint")
    checkpoint = random_checkpoint(folder / "c.pt", prompt_data_bin, "hmst_ctc_attention")
    export([[checkpoint]], prompt_data_bin, folder / "model")
    return folder / "model"


def hypotheses(translations) -> list[list[tuple[str, float]]]:
    return [[(found.text, found.score) for found in translation.segments[0].nbest] for translation in translations]


def assert_same(found: list[list[tuple[str, float]]], expected: list[list[tuple[str, float]]]) -> None:
    assert [[text for text, _ in nbest] for nbest in found] == [[text for text, _ in nbest] for nbest in expected]
    scores = [[score for nbest in lists for _, score in nbest] for lists in (found, expected)]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_moved_folder_gives_fairseq_generates_hypotheses_with_data_bin_and_checkpoint_gone(
    prompt_data_bin, family, tmp_path
):
    data_bin = Path(shutil.copytree(prompt_data_bin, tmp_path / "data-bin"))
    checkpoint = train_here(data_bin, tmp_path / "checkpoints", family, updates=6)
    of_speech = generate_here(data_bin, checkpoint, "--nbest", 3, "--beam", 4)
    of_text = generate_here(data_bin, checkpoint, "--nbest", 3, "--beam", 4, "--eval-stream", "mt")
    export([[checkpoint]], data_bin, tmp_path / "model")
    shutil.rmtree(data_bin)
    shutil.rmtree(checkpoint.parent)
    moved = shutil.move(tmp_path / "model", tmp_path / "elsewhere")
    translator = Translator.from_pretrained(moved, beam=4, nbest=3)
    assert_same(hypotheses(translator.translate(PROMPTS)), of_speech)
    assert_same(hypotheses(translator.translate_text(row["en"] for row in rows_of_test())), of_text)


@pytest.mark.parametrize("options", [{"decoding": "attention", "lenpen": 0.2}, {"ctc_decode_weight": 0.9}, {"beam": 1}])
def test_options_mean_what_they_mean_to_fairseq_generate(prompt_data_bin, joint_folder, options):
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    expected = generate_here(prompt_data_bin, joint_folder.parent / "c.pt", *flags)
    assert_same(hypotheses(Translator.from_pretrained(joint_folder, **options).translate(PROMPTS)), expected)


def test_an_ensemble_decodes_as_fairseq_generates_does(prompt_data_bin, tmp_path):
    paths = [random_checkpoint(tmp_path / f"{seed}.pt", prompt_data_bin, "hmst_ctc", seed) for seed in (1, 2)]
    export([[path] for path in paths], prompt_data_bin, tmp_path / "model")
    expected = generate_here(prompt_data_bin, f"{paths[0]}:{paths[1]}")
    assert_same(hypotheses(Translator.from_pretrained(tmp_path / "model").translate(PROMPTS)), expected)


def test_units_are_those_of_the_training_and_their_times_fill_the_recording(prompt_data_bin, translator):
    expected = dict(read_units(prompt_data_bin.parent / "units" / "test.units"))
    for row, translation in zip(rows_of_test(), translator.translate(PROMPTS), strict=True):
        (segment,) = translation.segments
        assert list(segment.units) == expected[row["id"].replace("/", "-")]
        seconds = len(load_audio(audio_of(row))) / 16_000
        assert segment.start == segment.unit_times[0][0] == 0
        assert seconds - 0.03 < segment.unit_times[-1][1] <= segment.end == pytest.approx(seconds, abs=1e-3)
        starts, ends = zip(*segment.unit_times, strict=True)
        assert starts[1:] == ends[:-1]


def test_source_tokens_cover_the_units_one_after_the_other(translator):
    (segment,) = translator.translate(PROMPTS[:1])[0].segments
    dictionary = translator.task.source_dictionary
    spelt = "".join(dictionary[index] for index in segment.source_tokens[:-1])
    assert [ord(character) - 0xF0000 for character in spelt] == list(segment.units)
    assert segment.source_tokens[-1] == dictionary.eos()
    assert segment.source_times[-1] is None
    starts, ends = zip(*segment.source_times[:-1], strict=True)
    assert (starts[0], ends[-1]) == (segment.unit_times[0][0], segment.unit_times[-1][1])
    assert starts[1:] == ends[:-1]


def test_a_recording_alone_and_among_others_has_the_same_translation(joint_folder):
    translator = Translator.from_pretrained(joint_folder)
    together = translator.translate(PROMPTS)
    for path, translation in zip(PROMPTS[:4], together, strict=False):
        (alone,) = translator.translate([path])
        assert alone.text == translation.text
        assert alone.score == pytest.approx(translation.score, rel=1e-4)
        assert alone.transcript == translation.transcript
        assert alone.segments[0].units == translation.segments[0].units


def test_the_transcript_is_the_best_path_of_the_ctc_on_the_source(translator):
    """Against a plain loop over the frames of the one utterance."""
    import torch

    (segment,) = translator.translate(PROMPTS[:1])[0].segments
    (model,) = translator.models
    tokens = torch.tensor([segment.source_tokens])
    with torch.no_grad():
        logits = model.encode_with_heads(tokens, torch.tensor([tokens.size(1)]))[1].source_ctc_logits[0]
    first = translator.task.data_bin.card.dictionary.first_source_subword
    pieces, previous = [], 0
    for label in logits.argmax(-1).tolist():
        if label not in (0, 1, previous):
            pieces.append(translator.task.source_dictionary[label - 2 + first])
        previous = label
    assert segment.transcript == "".join(pieces).replace("▁", " ").strip()
    assert segment.transcript


def test_a_model_without_a_source_ctc_has_no_transcript(prompt_data_bin, tmp_path, monkeypatch):
    monkeypatch.setitem(FAMILIES, "hmst_ctc", {"source_ctc_layer": 0})
    export([[random_checkpoint(tmp_path / "c.pt", prompt_data_bin)]], prompt_data_bin, tmp_path / "model")
    (translation,) = Translator.from_pretrained(tmp_path / "model").translate(PROMPTS[:1])
    assert translation.transcript is None
    assert translation.segments[0].transcript is None


def test_a_long_recording_is_cut_at_its_pauses_with_times_of_the_file(translator, long_recording):
    path, times = long_recording
    (translation,) = translator.translate([path])
    found = [(segment.start, segment.end) for segment in translation.segments]
    assert len(found) >= len(times)  # a prompt may hold a pause of its own
    for begin, end in times:
        inside = [(start, stop) for start, stop in found if begin - 0.4 < start and stop < end + 0.4]
        assert inside
        assert all(stop - start < end - begin + 0.4 for start, stop in inside)
    for segment in translation.segments:
        assert segment.start - 0.011 <= segment.unit_times[0][0]
        assert segment.unit_times[-1][1] <= segment.end + 1e-3
    assert translation.text == " ".join(segment.text for segment in translation.segments if segment.text)


def test_a_recording_under_the_bound_is_not_cut(model_folder, long_recording):
    translator = Translator.from_pretrained(model_folder, max_segment_seconds=60)
    assert len(translator.translate([long_recording[0]])[0].segments) == 1


def test_a_segment_of_a_long_recording_is_translated_as_a_file_cut_out_of_it_and_as_a_row(
    translator, long_recording, tmp_path
):
    path, _ = long_recording
    segments = translator.translate([path])[0].segments
    samples, rate = soundfile.read(path)
    files = [tmp_path / f"{number}.wav" for number in range(len(segments))]
    for file, found in zip(files, segments, strict=True):
        soundfile.write(file, samples[round(found.start * rate) : round(found.end * rate)], rate)
    rows = [f"{n}\t{path}\t{found.start}\t{found.end - found.start:.3f}" for n, found in enumerate(segments)]
    (tmp_path / "rows.tsv").write_text("id\taudio\toffset\tduration\n" + "\n".join(rows) + "\n")
    for alone in (translator.translate(files), translator.translate_manifest(tmp_path / "rows.tsv")):
        assert [found.segments[0].units for found in alone] == [found.units for found in segments]
        assert [found.text for found in alone] == [found.text for found in segments]


def test_rows_of_a_manifest_stay_whole_up_to_a_minute(translator, long_recording, tmp_path):
    path, _ = long_recording
    (tmp_path / "rows.tsv").write_text(f"audio\tid\n{path}\twhole\n")
    (translation,) = translator.translate_manifest(tmp_path / "rows.tsv")
    assert len(translation.segments) == 1
    assert translation.source == "whole"


def test_silence_gives_an_empty_translation_of_a_long_recording(translator, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(30 * 8000), 8000)
    (translation,) = translator.translate([tmp_path / "silence.wav"])
    assert (translation.text, translation.segments, translation.fault) == ("", (), None)


def test_a_bad_file_is_an_error_or_a_fault_and_the_rest_goes_on(translator, tmp_path):
    faults = write_bad_files(tmp_path)
    for path, message in faults.items():
        with pytest.raises(TranslationError, match=f"^{path}: {message}"):
            translator.translate([PROMPTS[0], path])
    found = translator.translate([PROMPTS[0], *faults, PROMPTS[1]], skip_faults=True)
    assert [translation.source for translation in found] == list(map(str, [PROMPTS[0], *faults, PROMPTS[1]]))
    assert found[0].segments
    assert found[-1].segments
    for translation, message in zip(found[1:-1], faults.values(), strict=True):
        assert message in str(translation.fault)
        assert translation.segments == ()


def test_a_line_too_long_for_the_model_is_a_fault(prompt_data_bin, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(FAMILIES, "hmst_ctc", {"max_source_positions": 60})
    export([[random_checkpoint(tmp_path / "c.pt", prompt_data_bin)]], prompt_data_bin, tmp_path / "model")
    lines = ["Yes.", "Please hold the line. " * 10, "No."]
    (tmp_path / "in.txt").write_text("\n".join(lines) + "\n")
    status, out, err = run_translate(capsys, tmp_path / "model", "--text", tmp_path / "in.txt")
    assert status == 1
    assert out.split("\n")[1] == ""
    assert len(out.split("\n")) == 4
    assert "the model takes 60; cut it into parts" in err
    with pytest.raises(TranslationError, match="the model takes 60"):
        Translator.from_pretrained(tmp_path / "model").translate_text(lines)


@pytest.fixture(scope="module")
def two_target_folder(tmp_path_factory) -> Path:
    """A model folder of prompts, English into French (even rows) and Spanish (odd rows); its data-bin lies beside."""
    folder = tmp_path_factory.mktemp("two_targets")
    data_bin = make_prompt_data_bin(folder, targets=("fr", "es"))
    export([[random_checkpoint(folder / "c.pt", data_bin, "hmst_aed")]], data_bin, folder / "model")
    return folder / "model"


def test_rows_of_a_manifest_are_translated_into_their_own_languages(two_target_folder, capsys):
    data = two_target_folder.parent / "out"
    expected = generate_here(data / "data-bin", two_target_folder.parent / "c.pt")
    translator = Translator.from_pretrained(two_target_folder)
    found = translator.translate_manifest(data / "manifest" / "test.tsv")
    assert_same(hypotheses(found), expected)
    assert translator.target_languages == ["es", "fr"]
    french = translator.with_options(target_language="fr").translate(PROMPTS)
    assert_same(hypotheses(french)[::2], expected[::2])
    assert hypotheses(french)[1::2] != [[pytest.approx(best) for best in nbest] for nbest in expected[1::2]]


def test_a_row_in_a_language_that_the_model_does_not_know_is_a_fault(two_target_folder, tmp_path):
    rows = ["id\taudio\ttgt_lang", f"one\t{PROMPTS[0]}\tfr", f"two\t{PROMPTS[1]}\tde", f"three\t{PROMPTS[2]}\t"]
    (tmp_path / "m.tsv").write_text("\n".join(rows) + "\n")
    found = Translator.from_pretrained(two_target_folder).translate_manifest(tmp_path / "m.tsv", skip_faults=True)
    assert [bool(translation.segments) for translation in found] == [True, False, False]
    assert f"{tmp_path / 'm.tsv'}:3: target_language de: the data-bin has es, fr" in str(found[1].fault)
    assert "m.tsv:4: target_language must be given, one of es, fr" in str(found[2].fault)


def test_the_language_must_be_said_where_there_are_several(two_target_folder, capsys):
    for options, message in (
        ([], "--target-language must be given, one of es, fr"),
        (["--target-language", "de"], "--target-language de: the data-bin has es, fr"),
    ):
        status, out, err = run_translate(capsys, two_target_folder, PROMPTS[0], *options)
        assert (status, out) == (2, "")
        assert message in err
    assert run_translate(capsys, two_target_folder, PROMPTS[0], "--target-language", "es")[0] == 0


def test_recordings_are_where_the_helper_says():
    assert RECORDINGS.is_dir()
    assert len(PROMPTS) == 10
