"""The command hmst translate: its inputs, formats, errors and exit status."""

import json
import os
import shutil

import pytest
from prompt_models import (
    PROMPTS,
    run_translate,
    write_bad_files,
)

from fairseq_hmst.translate import Translator
from fairseq_hmst.translate.command import main
from preprocess.speech.audio import load_audio


def test_the_command_reports_bad_files_on_stderr_and_by_its_exit_status(model_folder, translator, tmp_path, capsys):
    faults = write_bad_files(tmp_path)
    status, out, err = run_translate(capsys, model_folder, PROMPTS[0], *faults, PROMPTS[1])
    assert status == 1
    texts = [translation.text for translation in translator.translate(PROMPTS[:2])]
    assert out.splitlines() == [f"{path}\t{text}" for path, text in zip(PROMPTS, texts, strict=False)]
    for path, message in faults.items():
        assert f"error: {path}: {message}" in err
        assert f"{path}: {path}" not in err
    assert run_translate(capsys, model_folder, PROMPTS[0])[0] == 0


def test_json_has_all_there_is(model_folder, translator, capsys, tmp_path):
    status, out, _ = run_translate(
        capsys, model_folder, PROMPTS[0], tmp_path / "none.wav", "--format", "json", "--nbest", 2
    )
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
    _, out, _ = run_translate(capsys, model_folder, path, "--format", "tsv")
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["file", "start", "end", "text"]
    assert rows == [[str(path), f"{found.start:.2f}", f"{found.end:.2f}", found.text] for found in segments]
    _, out, _ = run_translate(capsys, model_folder, path, "--format", "tsv", "--nbest", 2)
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["file", "start", "end", "rank", "score", "text"]
    assert [row[3] for row in rows] == ["1", "2"] * len(segments)


def test_subtitles_go_to_stdout_or_beside_the_recordings_or_elsewhere(model_folder, long_recording, capsys, tmp_path):
    path, _ = long_recording
    status, alone, _ = run_translate(capsys, model_folder, path, "--format", "srt")
    assert status == 0
    first = alone.split("\n\n")[0].splitlines()
    assert first[0] == "1"
    assert first[1].startswith("00:00:00,000 --> 00:00:0")
    for name in ("a.flac", "b.flac"):
        shutil.copyfile(path, tmp_path / name)
    status, out, _ = run_translate(capsys, model_folder, tmp_path / "a.flac", tmp_path / "b.flac", "--format", "srt")
    assert status == 0
    assert out.splitlines() == [f"{tmp_path / name}.flac\t{tmp_path / name}.srt" for name in "ab"]
    assert (tmp_path / "a.srt").read_text() == (tmp_path / "b.srt").read_text() == alone
    command = (model_folder, path, "--format", "srt", "--out-dir", tmp_path / "new" / "folder")
    assert run_translate(capsys, *command)[0] == 0
    assert (tmp_path / "new" / "folder" / "long.srt").read_text() == alone
    status, _, err = run_translate(capsys, *command)
    assert status == 2
    assert "long.srt exists already" in err
    status, _, err = run_translate(capsys, model_folder, tmp_path / "c.flac", tmp_path / "c.ogg", "--format", "srt")
    assert status == 2
    assert "two of the recordings would share the subtitles" in err


def test_a_manifest_gives_ids_and_its_faulty_rows_are_reported(model_folder, translator, tmp_path, capsys):
    rows = ["id\taudio\tsrc_text", f"one\t{PROMPTS[0]}\t", "text\t\tHello.", f"two\t{PROMPTS[1]}\t", "gone\tgone.wav\t"]
    (tmp_path / "m.tsv").write_text("\n".join(rows) + "\n")
    status, out, err = run_translate(capsys, model_folder, "--manifest", tmp_path / "m.tsv")
    assert status == 1
    texts = [translation.text for translation in translator.translate(PROMPTS[:2])]
    assert out.splitlines() == [f"{name}\t{text}" for name, text in zip(("one", "two"), texts, strict=True)]
    assert f"error: text: {tmp_path / 'm.tsv'}:3: the row has no audio" in err
    assert f"error: gone: {tmp_path / 'gone.wav'}: audio file not found" in err
    (tmp_path / "m.tsv").write_text("id\tfile\n")
    status, _, err = run_translate(capsys, model_folder, "--manifest", tmp_path / "m.tsv")
    assert status == 1
    assert "m.tsv:1: expected at least the columns id, audio" in err


def test_text_is_read_from_files_and_stdin_one_line_a_line(model_folder, translator, tmp_path, capsys, monkeypatch):
    lines = ["Please  hold.", "", "Thank you.", "Press\u2028one."]
    expected = [translation.text for translation in translator.translate_text(lines)]
    assert expected[1] == ""
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    status, out, _ = run_translate(capsys, model_folder, "--text", tmp_path / "a.txt")
    assert (status, out.split("\n")) == (0, [*expected, ""])
    with (tmp_path / "a.txt").open(encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        assert run_translate(capsys, model_folder, "--text")[1] == out
    with (tmp_path / "a.txt").open(encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        assert run_translate(capsys, model_folder, "--text", tmp_path / "a.txt", "-")[1] == out * 2
    (tmp_path / "latin.txt").write_bytes(b"\xef\xbb\xbfPlease\xc2\xa0hold.\ncaf\xe9\r\nThank you.\r\n")
    status, again, err = run_translate(capsys, model_folder, "--text", tmp_path / "latin.txt", tmp_path / "none.txt")
    assert (status, again.split("\n")) == (1, [expected[0], "", expected[2], ""])
    assert f"error: {tmp_path / 'latin.txt'}:2: expected UTF-8, found the byte 0xE9; convert the file\n" in err
    assert f"error: {tmp_path / 'none.txt'}: cannot be read: No such file or directory\n" in err
    _, out, _ = run_translate(capsys, model_folder, "--text", tmp_path / "a.txt", "--format", "tsv")
    assert out.splitlines()[:2] == ["source\ttext", f"Please hold.\t{expected[0]}"]


def test_a_name_costs_itself_alone_and_keeps_the_lines_whole(model_folder, translator, tmp_path, capsysbinary):
    text = translator.translate(PROMPTS[0]).text
    names = [os.fsdecode(name) for name in (b"lat\xe9.ogg", b"a\tb\nc.ogg", b"plain.ogg")]
    for name in names:
        shutil.copyfile(PROMPTS[0], tmp_path / name)
    files = [str(tmp_path / name) for name in (names[0], "no\tsuch\n", *names[1:])]
    assert main([str(model_folder), *files]) == 1
    captured = capsysbinary.readouterr()
    shown = ("lat\\udce9.ogg", "a\\tb\\nc.ogg", "plain.ogg")
    assert captured.out.decode() == "".join(f"{tmp_path}/{name}\t{text}\n" for name in shown)
    assert f"error: {tmp_path}/no\\tsuch\\n: audio file not found\n" in captured.err.decode()


def test_timing_adds_up(model_folder, capsys):
    status, _, err = run_translate(capsys, model_folder, *PROMPTS, "--timing")
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
        (["a.wav", "--nbest", "9", "--format", "tsv"], "--nbest must lie in 1..5, the beam, got 9"),
        (["a.wav", "--lenpen", "nan"], "--lenpen must be a finite number"),
        (["a.wav", "--ctc-decode-weight", "0.3"], "--ctc-decode-weight 0.3 has no effect with decoding ctc"),
        (["a.wav", "--max-segment-seconds", "0.5"], "--max-segment-seconds must lie in 1..60, got 0.5"),
        (["a.wav", "--max-segment-seconds", "61"], "--max-segment-seconds must lie in 1..60, got 61"),
        (["a.wav", "--target-language", "fr"], "--target-language fr has no effect"),
        (["a.wav", "--encoder", "d"], "--encoder d has no effect"),
        (["a.wav", "--device", "cude"], "--device cude: cannot be used here: torch knows no such device"),
        (["a.wav", "--dtype", "int8"], "invalid choice: 'int8'"),
        (["a.wav", "--threads", "0"], "--threads must be at least 1, got 0"),
        (["a.wav", "--max-tokens", "0"], "--max-tokens must be at least 1, got 0"),
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
    assert run_translate(capsys, tmp_path, "a.wav")[0] == 1


def test_an_interruption_ends_with_status_130_and_json_that_is_whole(model_folder, monkeypatch, capsys):
    stream = Translator.stream

    def interrupted(*arguments: object, **options: object):
        yield next(stream(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(Translator, "stream", interrupted)
    status, out, err = run_translate(capsys, model_folder, *PROMPTS, "--format", "json")
    assert status == 130
    assert len(json.loads(out)) == 1
    assert "interrupted" in err
