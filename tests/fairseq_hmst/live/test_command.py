"""The command hmst live: recordings, samples from a pipe, what is odd in them, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from prompt_models import PROMPTS
from warm_commands import warm_programs

from fairseq_hmst.live import LiveTranslator
from fairseq_hmst.live.command import main
from preprocess.errors import INTERRUPTED

RATE = 16_000
HMST = [sys.executable, "-c", "import sys; from fairseq_hmst.command.hmst import main; sys.exit(main())"]


@pytest.fixture(scope="module")
def recording(stream, tmp_path_factory):
    """The stream as a file of 16 bits, and its bytes; do not change it."""
    path = tmp_path_factory.mktemp("recording") / "talk.wav"
    soundfile.write(path, stream[: 4 * RATE], RATE, "PCM_16")
    return path, soundfile.read(path, dtype="int16")[0].astype("<i2").tobytes()


@pytest.fixture(scope="module")
def expected(recording, model_folder):
    """The live translation of the recording."""
    translator = LiveTranslator.from_pretrained(model_folder)
    translator.feed(soundfile.read(recording[0], dtype="float32")[0])
    translator.finish()
    return translator.text


def hear_bytes(folder, data, *options):
    """Run `hmst live FOLDER -` with these bytes in its pipe."""
    return subprocess.run(
        [warm_programs() / "hmst", "live", folder, "-", *options], input=data, capture_output=True, check=False
    )


def test_a_recording_is_written_as_text(model_folder, recording, expected, capsys):
    assert main([str(model_folder), str(recording[0])]) == 0
    assert capsys.readouterr().out == f"{expected}\n"


def test_a_line_of_json_is_a_decision_point(model_folder, recording, expected, capsys):
    options = ["--format", "jsonl", "--chunk-seconds", "0.5"]
    assert main([str(model_folder), str(recording[0]), *options]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["heard"] for line in lines] == [*np.arange(1, 9) / 2, 4.0]
    assert "".join(line["committed"] for line in lines) == expected
    assert all(line["spent"] >= 0 for line in lines) and any(line["open"] for line in lines)
    assert lines[-1]["open"] == ""


def test_samples_of_a_pipe_are_translated_as_the_recording(model_folder, recording, expected):
    done = hear_bytes(model_folder, recording[1])
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (0, f"{expected}\n", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data + b"\0", "standard input: ends within a sample: the number of bytes is odd"),
        (lambda data: b"RIFF" + data, "standard input: begins with 'RIFF', as an audio file does"),
    ],
    ids=["odd byte", "header"],
)
def test_what_is_no_samples_is_an_error_behind_what_was_heard(change, message, model_folder, recording, expected):
    done = hear_bytes(model_folder, change(recording[1]))
    assert done.returncode == 1
    assert message in done.stderr.decode() and "Traceback" not in done.stderr.decode()
    assert done.stdout.decode() == ("\n" if "RIFF" in message else f"{expected}\n")


def test_no_samples_are_no_text(model_folder):
    done = hear_bytes(model_folder, b"")
    assert (done.returncode, done.stdout) == (0, b"\n")


def test_ctrl_c_ends_the_stream_and_its_rest_is_translated(model_folder, recording):
    data = recording[1] + recording[1][:200]  # a part of a piece at the end
    expected = LiveTranslator.from_pretrained(model_folder)
    expected.feed(np.frombuffer(data, "<i2"))
    expected.finish()
    command = [*HMST, "live", str(model_folder), "-", "--format", "jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(data)
        process.stdin.flush()
        lines = [json.loads(process.stdout.readline())]
        while lines[-1]["heard"] < 4:
            lines.append(json.loads(process.stdout.readline()))
        os.kill(process.pid, signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    lines += [json.loads(line) for line in rest.splitlines()]
    assert "".join(line["committed"] for line in lines) == expected.text
    assert lines[-1]["heard"] == pytest.approx(len(data) / 2 / RATE, abs=0.001)
    assert process.returncode == INTERRUPTED
    assert b"Traceback" not in errors


def test_a_file_that_cannot_be_read_is_named(model_folder, recording, tmp_path, capsys):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "cut.wav").write_bytes(recording[0].read_bytes()[:80_000])
    for name in ("none.wav", "empty.wav", "cut.wav"):
        assert main([str(model_folder), str(tmp_path / name)]) == 1
        assert f"error: {tmp_path / name}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sampling-rate", "8000"], "--sampling-rate has no effect on a file"),
        (["--policy", "alignatt", "--decoding", "ctc"], "alignatt cannot be used with decoding ctc"),
        (["--policy", "wait", "--chunk-seconds", "1"], "chunk_seconds 1 has no effect with the policy wait"),
        (["--chunk-seconds", "0"], "must lie in"),
        (["--encoder-left-seconds", "4"], "has no effect: the units are clusters of MFCC"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message, model_folder, capsys):
    try:
        status = main([str(model_folder), str(PROMPTS[0]), *options])
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    assert message.replace("_", "-") in capsys.readouterr().err.replace("_", "-")
