"""hmst-translate and Translator, on recordings."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from prompt_models import (
    FAMILIES,
    RECORDINGS,
    audio_of,
    generate_here,
    make_prompt_data_bin,
    random_checkpoint,
    rows_of_test,
    train_here,
)

from fairseq_hmst.export import export
from fairseq_hmst.translate import TranslationError, Translator, main
from preprocess.audio import load_audio
from preprocess.units import read_units

PROMPTS = [audio_of(row) for row in rows_of_test()]


@pytest.fixture(scope="module")
def translator(model_folder) -> Translator:
    return Translator.from_pretrained(model_folder)


@pytest.fixture(scope="module")
def joint_folder(prompt_data_bin, tmp_path_factory) -> Path:
    """A model that can decode by attention, CTC and both."""
    folder = tmp_path_factory.mktemp("joint")
    checkpoint = random_checkpoint(folder / "c.pt", prompt_data_bin, "hmst_ctc_attention")
    export([[checkpoint]], prompt_data_bin, folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory) -> tuple[Path, list[tuple[float, float]]]:
    """Prompts with pauses of 1.2 s between them, 25 s, and the times of each."""
    path = tmp_path_factory.mktemp("long") / "long.flac"
    parts, times, rate = [], [], 8000
    for prompt in PROMPTS[:8]:
        samples, rate = soundfile.read(prompt)
        begin = sum(map(len, parts)) / rate
        times.append((begin, begin + len(samples) / rate))
        parts += [samples, np.zeros(round(1.2 * rate))]
    soundfile.write(path, np.concatenate(parts), rate)
    return path, times


def run(capsys, *command: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of hmst-translate."""
    status = main([str(part) for part in command])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


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
    first = translator.task.data_bin.card["dictionary"]["first_source_subword"]
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
    assert (translation.text, translation.segments, translation.fault) == ("", (), "")


def write_bad_files(folder: Path) -> dict[Path, str]:
    """Bad files, and what is said of each."""
    (folder / "text.wav").write_text("no sound")
    (folder / "empty.wav").touch()
    soundfile.write(folder / "blip.wav", np.zeros(100), 16_000)
    whole = np.random.default_rng(0).uniform(-0.1, 0.1, 25 * 8000)
    whole[190_000] = np.nan
    soundfile.write(folder / "nan.wav", whole, 8000, subtype="FLOAT")
    return {
        folder / "missing.wav": "audio file not found",
        folder / "text.wav": "not audio, corrupt or cut short",
        folder / "empty.wav": "the audio file is empty",
        folder / "blip.wav": "too short: 6.2 ms",
        folder / "nan.wav": "NaN or infinite samples, the first 23.75 s from its begin",
    }


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
        assert message in translation.fault
        assert translation.segments == ()


def test_the_command_reports_bad_files_on_stderr_and_by_its_exit_status(model_folder, translator, tmp_path, capsys):
    faults = write_bad_files(tmp_path)
    status, out, err = run(capsys, model_folder, PROMPTS[0], *faults, PROMPTS[1])
    assert status == 1
    texts = [translation.text for translation in translator.translate(PROMPTS[:2])]
    assert out.splitlines() == [f"{path}\t{text}" for path, text in zip(PROMPTS, texts, strict=False)]
    for path, message in faults.items():
        assert f"error: {path}: {message}" in err
        assert f"{path}: {path}" not in err
    assert run(capsys, model_folder, PROMPTS[0])[0] == 0


def test_a_line_too_long_for_the_model_is_a_fault(prompt_data_bin, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(FAMILIES, "hmst_ctc", {"max_source_positions": 60})
    export([[random_checkpoint(tmp_path / "c.pt", prompt_data_bin)]], prompt_data_bin, tmp_path / "model")
    lines = ["Yes.", "Please hold the line. " * 10, "No."]
    (tmp_path / "in.txt").write_text("\n".join(lines) + "\n")
    status, out, err = run(capsys, tmp_path / "model", "--text", tmp_path / "in.txt")
    assert status == 1
    assert out.split("\n")[1] == ""
    assert len(out.split("\n")) == 4
    assert "the model takes 60; cut it into parts" in err
    with pytest.raises(TranslationError, match="the model takes 60"):
        Translator.from_pretrained(tmp_path / "model").translate_text(lines)


def test_json_has_all_there_is(model_folder, translator, capsys, tmp_path):
    status, out, _ = run(capsys, model_folder, PROMPTS[0], tmp_path / "none.wav", "--format", "json", "--nbest", 2)
    assert status == 1
    good, bad = json.loads(out)
    (expected,) = translator.with_options(nbest=2).translate(PROMPTS[:1])[0].segments
    (segment,) = good["segments"]
    assert good["file"] == str(PROMPTS[0])
    assert good["text"] == segment["text"] == expected.text
    assert segment["transcript"] == expected.transcript
    assert [entry["text"] for entry in segment["nbest"]] == [found.text for found in expected.nbest]
    assert [entry["unit"] for entry in segment["units"]] == list(expected.units)
    assert [(entry["start"], entry["end"]) for entry in segment["units"]] == list(expected.unit_times)
    assert bad == {"file": str(tmp_path / "none.wav"), "error": f"{tmp_path / 'none.wav'}: audio file not found"}


def test_tsv_has_a_row_a_segment_or_a_hypothesis(model_folder, long_recording, translator, capsys):
    path, _ = long_recording
    segments = translator.translate([path])[0].segments
    _, out, _ = run(capsys, model_folder, path, "--format", "tsv")
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["file", "start", "end", "text"]
    assert rows == [[str(path), f"{found.start:.2f}", f"{found.end:.2f}", found.text] for found in segments]
    _, out, _ = run(capsys, model_folder, path, "--format", "tsv", "--nbest", 2)
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["file", "start", "end", "rank", "score", "text"]
    assert [row[3] for row in rows] == ["1", "2"] * len(segments)


def test_subtitles_go_to_stdout_or_beside_the_recordings_or_elsewhere(model_folder, long_recording, capsys, tmp_path):
    path, _ = long_recording
    status, alone, _ = run(capsys, model_folder, path, "--format", "srt")
    assert status == 0
    first = alone.split("\n\n")[0].splitlines()
    assert first[0] == "1"
    assert first[1].startswith("00:00:00,000 --> 00:00:0")
    for name in ("a.flac", "b.flac"):
        shutil.copyfile(path, tmp_path / name)
    status, out, _ = run(capsys, model_folder, tmp_path / "a.flac", tmp_path / "b.flac", "--format", "srt")
    assert status == 0
    assert out.splitlines() == [f"{tmp_path / name}.flac\t{tmp_path / name}.srt" for name in "ab"]
    assert (tmp_path / "a.srt").read_text() == (tmp_path / "b.srt").read_text() == alone
    command = (model_folder, path, "--format", "srt", "--out-dir", tmp_path / "new" / "folder")
    assert run(capsys, *command)[0] == 0
    assert (tmp_path / "new" / "folder" / "long.srt").read_text() == alone
    status, _, err = run(capsys, *command)
    assert status == 2
    assert "long.srt exists already" in err
    status, _, err = run(capsys, model_folder, tmp_path / "c.flac", tmp_path / "c.ogg", "--format", "srt")
    assert status == 2
    assert "two of the recordings would share the subtitles" in err


def test_a_manifest_gives_ids_and_its_faulty_rows_are_reported(model_folder, translator, tmp_path, capsys):
    rows = ["id\taudio\tsrc_text", f"one\t{PROMPTS[0]}\t", "text\t\tHello.", f"two\t{PROMPTS[1]}\t", "gone\tgone.wav\t"]
    (tmp_path / "m.tsv").write_text("\n".join(rows) + "\n")
    status, out, err = run(capsys, model_folder, "--manifest", tmp_path / "m.tsv")
    assert status == 1
    texts = [translation.text for translation in translator.translate(PROMPTS[:2])]
    assert out.splitlines() == [f"{name}\t{text}" for name, text in zip(("one", "two"), texts, strict=True)]
    assert f"error: text: {tmp_path / 'm.tsv'}:3: the row has no audio" in err
    assert f"error: gone: {tmp_path / 'gone.wav'}: audio file not found" in err
    (tmp_path / "m.tsv").write_text("id\tfile\n")
    status, _, err = run(capsys, model_folder, "--manifest", tmp_path / "m.tsv")
    assert status == 1
    assert "m.tsv:1: expected at least the columns id, audio" in err


def test_text_is_read_from_files_and_stdin_one_line_a_line(model_folder, translator, tmp_path, capsys, monkeypatch):
    lines = ["Please  hold.", "", "Thank you.", "Press\u2028one."]
    expected = [translation.text for translation in translator.translate_text(lines)]
    assert expected[1] == ""
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    status, out, _ = run(capsys, model_folder, "--text", tmp_path / "a.txt")
    assert (status, out.split("\n")) == (0, [*expected, ""])
    with (tmp_path / "a.txt").open(encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        assert run(capsys, model_folder, "--text")[1] == out
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    status, again, err = run(capsys, model_folder, "--text", tmp_path / "latin.txt", tmp_path / "a.txt")
    assert (status, again) == (1, out)
    assert f"error: {tmp_path / 'latin.txt'}: cannot be read as text" in err
    _, out, _ = run(capsys, model_folder, "--text", tmp_path / "a.txt", "--format", "tsv")
    assert out.splitlines()[:2] == ["source\ttext", f"Please hold.\t{expected[0]}"]


def test_timing_adds_up(model_folder, capsys):
    status, _, err = run(capsys, model_folder, *PROMPTS, "--timing")
    assert status == 0
    line = err.splitlines()[-1]
    assert line.startswith("real-time factor 0.")
    seconds = sum(len(load_audio(path)) for path in PROMPTS) / 16_000
    assert f"for {seconds:.2f} s of audio" in line
    shares = [int(word.strip("%,)")) for word in line.split() if "%" in word]
    assert 97 <= sum(shares) <= 103


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "nothing to translate"),
        (["--text", "--manifest", "m.tsv"], "--text and --manifest exclude each other"),
        (["a.wav", "--manifest", "m.tsv"], "give either FILEs or --manifest"),
        (["a.wav", "--nbest", "2"], "--nbest has no effect without --format json or tsv"),
        (["a.wav", "--out-dir", "d"], "--out-dir has no effect without --format srt"),
        (["--text", "--encoder", "d"], "--encoder has no effect without recordings"),
        (["--text", "--max-segment-seconds", "9"], "--max-segment-seconds has no effect without recordings"),
        (["--text", "--format", "srt"], "--format srt needs recordings"),
        (["a.wav", "--decoding", "best"], "invalid choice: 'best'"),
        (["a.wav", "--decoding", "joint"], "it can decode by: ctc"),
        (["a.wav", "--beam", "0"], "--beam must be at least 1, got 0"),
        (["a.wav", "--nbest", "9", "--format", "tsv"], "--nbest must lie in 1..5 (--beam), got 9"),
        (["a.wav", "--lenpen", "nan"], "--lenpen must be a finite number"),
        (["a.wav", "--ctc-decode-weight", "0.3"], "--ctc-decode-weight 0.3 has no effect with --decoding ctc"),
        (["a.wav", "--max-segment-seconds", "0.5"], "--max-segment-seconds must lie in 1..60, got 0.5"),
        (["a.wav", "--max-segment-seconds", "61"], "--max-segment-seconds must lie in 1..60, got 61"),
        (["a.wav", "--target-language", "fr"], "--target-language fr has no effect"),
        (["a.wav", "--encoder", "d"], "--encoder d has no effect"),
        (["a.wav", "--device", "cude"], "--device cude: cannot be used here"),
    ],
)
def test_options_that_do_not_fit_end_with_status_2(model_folder, options, message, capsys):
    try:
        status = main([str(model_folder), *options])
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    assert status == 2
    assert message in captured.err
    assert captured.out == ""


def test_a_folder_that_is_none_ends_with_status_1(tmp_path, capsys):
    assert run(capsys, tmp_path, "a.wav")[0] == 1


def test_an_interruption_ends_with_status_130_and_json_that_is_whole(model_folder, monkeypatch, capsys):
    stream = Translator.stream

    def interrupted(*arguments: object, **options: object):
        yield next(stream(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(Translator, "stream", interrupted)
    status, out, err = run(capsys, model_folder, *PROMPTS, "--format", "json")
    assert status == 130
    assert len(json.loads(out)) == 1
    assert "interrupted" in err


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
    assert f"{tmp_path / 'm.tsv'}:3: --target-language de: the data-bin has es, fr" in found[1].fault
    assert "m.tsv:4: the data-bin has several target languages" in found[2].fault


def test_the_language_must_be_said_where_there_are_several(two_target_folder, capsys):
    for options, message in (
        ([], "name that of the input by --target-language, one of es, fr"),
        (["--target-language", "de"], "--target-language de: the data-bin has es, fr"),
    ):
        status, out, err = run(capsys, two_target_folder, PROMPTS[0], *options)
        assert (status, out) == (2, "")
        assert message in err
    assert run(capsys, two_target_folder, PROMPTS[0], "--target-language", "es")[0] == 0


@pytest.fixture(scope="module")
def hubert_data_bin(tmp_path_factory) -> Path:
    """Prompts whose units come from a tiny speech encoder of transformers, which lies beside as `tiny-hubert`."""
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("hubert")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.HubertConfig(**sizes, conv_dim=(8,) * 7, num_conv_pos_embedding_groups=2)
    transformers.HubertModel(config).save_pretrained(folder / "tiny-hubert")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder / "tiny-hubert")
    kmeans = f"{{extractor: {folder / 'tiny-hubert'}, layer: 1, clusters: 16, portion: 1.0}}"
    return make_prompt_data_bin(folder / "data", kmeans=kmeans)


@pytest.fixture(scope="module")
def hubert_checkpoint(hubert_data_bin) -> Path:
    return random_checkpoint(hubert_data_bin.parent / "c.pt", hubert_data_bin)


def test_an_included_encoder_makes_the_units_of_the_training_without_its_folder(
    hubert_data_bin, hubert_checkpoint, tmp_path, monkeypatch
):
    expected = [units for _, units in read_units(hubert_data_bin.parent / "units" / "test.units")]
    encoder = hubert_data_bin.parents[2] / "tiny-hubert"
    export([[hubert_checkpoint]], hubert_data_bin, tmp_path / "model", include_encoder="")
    assert "in `encoder/`" in (tmp_path / "model" / "README.md").read_text()
    assert not any(str(encoder).encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    encoder.rename(encoder.with_name("gone"))
    try:
        translator = Translator.from_pretrained(tmp_path / "model")
        found = translator.translate(PROMPTS)
        assert [list(translation.segments[0].units) for translation in found] == expected
        with pytest.raises(ValueError, match="it holds its speech encoder"):
            Translator.from_pretrained(tmp_path / "model", encoder="anything")
    finally:
        encoder.with_name("gone").rename(encoder)


def test_an_encoder_with_pickled_weights_is_included_without_the_pickle(hubert_data_bin, hubert_checkpoint, tmp_path):
    import torch
    from safetensors.torch import load_file

    expected = [units for _, units in read_units(hubert_data_bin.parent / "units" / "test.units")]
    encoder = hubert_data_bin.parents[2] / "tiny-hubert"
    pickled = Path(shutil.copytree(encoder, tmp_path / "pickled"))
    torch.save(load_file(pickled / "model.safetensors"), pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    data_bin = Path(shutil.copytree(hubert_data_bin, tmp_path / "data-bin"))
    from preprocess.card import hash_file

    for card in (data_bin / "card.json", data_bin / "kmeans" / "card.json"):  # as if it had made the units
        text = card.read_text().replace(
            hash_file(encoder / "model.safetensors"), hash_file(pickled / "pytorch_model.bin")
        )
        card.write_text(text.replace(str(encoder), str(pickled)))
    export([[hubert_checkpoint]], data_bin, tmp_path / "model", include_encoder=str(pickled))
    files = {path.name for path in (tmp_path / "model" / "encoder").iterdir()}
    assert files == {"config.json", "preprocessor_config.json", "model.safetensors"}
    shutil.rmtree(pickled)
    found = Translator.from_pretrained(tmp_path / "model").translate(PROMPTS)
    assert [list(translation.segments[0].units) for translation in found] == expected


def test_an_encoder_that_is_only_named_must_be_given_and_be_the_same(
    hubert_data_bin, hubert_checkpoint, tmp_path, capsys
):
    encoder = hubert_data_bin.parents[2] / "tiny-hubert"
    export([[hubert_checkpoint]], hubert_data_bin, tmp_path / "model")
    assert not any(str(encoder).encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    status, _, err = run(capsys, tmp_path / "model", PROMPTS[0])
    assert status == 1
    assert "needs the speech encoder 'tiny-hubert'" in err
    assert "say where it lies by --encoder" in err
    assert run(capsys, tmp_path / "model", PROMPTS[0], "--encoder", encoder)[0] == 0
    other = Path(shutil.copytree(encoder, tmp_path / "other"))
    content = bytearray((other / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (other / "model.safetensors").write_bytes(content)
    status, _, err = run(capsys, tmp_path / "model", PROMPTS[0], "--encoder", other)
    assert status == 1
    assert "is not the one of the k-means" in err
    with pytest.raises(TranslationError, match="is not the one of the k-means"):
        export([[hubert_checkpoint]], hubert_data_bin, tmp_path / "no", include_encoder=str(other))
    assert run(capsys, tmp_path / "model", "--text", tmp_path / "none.txt")[0] == 1  # no encoder is needed for that


@pytest.mark.parametrize("change", ["other weights beside", "code"])
def test_an_included_encoder_runs_no_code_and_reads_no_other_file(hubert_data_bin, hubert_checkpoint, tmp_path, change):
    from fairseq_hmst.inference.errors import ModelFolderError
    from fairseq_hmst.inference.sealing import read_json, seal, write_json

    export([[hubert_checkpoint]], hubert_data_bin, tmp_path / "model", include_encoder="")
    encoder = tmp_path / "model" / "encoder"
    if change == "code":
        write_json(encoder / "config.json", read_json(encoder / "config.json") | {"auto_map": {"AutoConfig": "x.X"}})
        card = read_json(tmp_path / "model" / "card.json")
        del card["card_hash"]
        seal(tmp_path / "model", card, unsealed={"README.md"})
    else:
        (encoder / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelFolderError, match=r"names code to be run|does not name it; remove it"):
        Translator.from_pretrained(tmp_path / "model")


def test_recordings_are_where_the_helper_says():
    assert RECORDINGS.is_dir()
    assert len(PROMPTS) == 10
