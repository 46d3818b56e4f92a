"""hmst score --live: OmniSTEval's figures for logs whose quality and delays are known, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest

from fairseq_hmst.score import ScoreError
from fairseq_hmst.score.command import main
from fairseq_hmst.score.live import LiveReferences, score_live
from fairseq_hmst.score.live.logs import read_logs

SENTENCES = ("der Hund läuft heute .", "die Katze schläft heute nicht .")
SEGMENTS = [{"wav": "talk.wav", "offset": 0.5, "duration": 2.0}, {"wav": "talk.wav", "offset": 3.0, "duration": 3.0}]
# Heard and spent seconds, and text. `läuft` is whole at 3 s; words of the second segment come 1 s after they begin.
UPDATES = [
    (1.0, 0.0, ""),
    (2.0, 0.1, "der Hund lä"),
    (3.0, 0.2, "uft heute ."),
    (5.0, 0.3, " die Katze schläft heute nicht ."),
    (6.5, 0.1, ""),
]
# Each word's time less its place in its segment: of 5 words in 2 s, and of 6 in 3 s.
FIRST = [1.5 - 0.0, 1.5 - 0.4, 2.5 - 0.8, 2.5 - 1.2, 2.5 - 1.6]
SECOND = [2.0 - 0.5 * number for number in range(6)]
FIRST_SPENT, SECOND_SPENT = [0.1, 0.1, 0.2, 0.2, 0.2], [0.3] * 6


def mean(numbers) -> float:
    return sum(numbers) / len(numbers)


LATENCY = mean([mean(FIRST), mean(SECOND)])
COMPUTATION_AWARE = LATENCY + mean([mean(FIRST_SPENT), mean(SECOND_SPENT)])


def write_references(folder: Path, segments=SEGMENTS, sentences=SENTENCES) -> list[Path]:
    (folder / "ref.yaml").write_text(json.dumps(segments))  # which is YAML
    (folder / "ref.txt").write_text("".join(f"{sentence}\n" for sentence in sentences))
    return [folder / "ref.yaml", folder / "ref.txt"]


def write_lines(path: Path, lines) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_own(path: Path, updates=UPDATES) -> Path:
    """A log as `hmst live --format jsonl` prints it."""
    keys = ("heard", "spent", "committed")
    return write_lines(path, [{**dict(zip(keys, update, strict=True)), "open": "…"} for update in updates])


def simulstream_lines(identifier, wav: str, updates) -> list[dict]:
    lines = [{"id": identifier, "metadata": {"wav_name": f"/recordings/{wav}"}}]
    for heard, spent, tokens, deleted in updates:
        line = {"id": identifier, "total_audio_processed": heard, "computation_time": spent}
        lines.append({**line, "generated_tokens": tokens, "deleted_tokens": deleted})
    return lines


PIECES = [
    (1.0, 0.0, [], []),
    (2.0, 0.1, ["▁der", "▁Hund", "▁lä", "m"], []),  # taken back at 3 s
    (3.0, 0.2, ["uft", "▁heute", "▁."], ["m"]),
    (5.0, 0.3, ["▁die", "▁Katze", "▁schläft", "▁heute", "▁nicht", "▁."], []),
]


def write_simulstream(path: Path, name: str = "talk.wav", updates=PIECES) -> Path:
    return write_lines(path, [{"model_loading_time": 1.5}, *simulstream_lines(7, name, updates)])


@pytest.mark.parametrize("write", [write_own, write_simulstream])
def test_quality_and_latency_of_a_log_are_those_it_was_made_with(tmp_path, write):
    log = write(tmp_path / "talk.jsonl")
    found = score_live([log], LiveReferences.read(*write_references(tmp_path)))
    assert (found.recordings, found.sentences, found.level) == (1, 2, "word")
    assert found.measures.bleu == pytest.approx(100)
    assert found.measures.chrf == pytest.approx(100)
    assert found.measures.long_yaal == pytest.approx(LATENCY, abs=1e-6)
    assert found.measures.computation_aware_long_yaal == pytest.approx(COMPUTATION_AWARE, abs=1e-6)


def test_recordings_come_from_several_logs_in_any_order_and_are_scored_together(tmp_path, capsys):
    segments = [{**SEGMENTS[1], "wav": f"folder/{name}.flac"} for name in ("b", "a.b")]
    references = write_references(tmp_path, segments, ("eins zwei drei vier", "fünf sechs sieben acht"))
    logs = [
        write_own(tmp_path / "a.b.jsonl", [(4.0, 0.5, "fünf sechs sieben"), (5.0, 0.5, " acht")]),
        write_simulstream(tmp_path / "x.log", "b.wav", [(5.0, 0.0, ["▁eins", "▁zwei", "▁drei", "▁vier"], [])]),
    ]
    assert main([*map(str, ["--live", *logs, "--references", *references]), "--format=json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["bleu"], found["recordings"], found["omnisteval"]) == (pytest.approx(100), 2, "0.1.10")
    first, second = [2.0 - 0.75 * number for number in range(4)], [1.0, 1.0 - 0.75, 1.0 - 1.5, 2.0 - 2.25]
    assert found["long_yaal"] == pytest.approx(mean([mean(first), mean(second)]))


def test_chinese_is_scored_by_characters(tmp_path):
    references = write_references(tmp_path, [SEGMENTS[0], {**SEGMENTS[0], "offset": 4.0}], ("你好世界", "再见"))
    log = write_own(tmp_path / "talk.jsonl", [(2.5, 0.0, "你好"), (3.0, 0.0, "世界"), (5.0, 0.0, "再见")])
    found = score_live([log], LiveReferences.read(*references), "zh-CN")
    assert (found.level, found.alignment_language) == ("character", None)
    assert found.measures.bleu == pytest.approx(100)
    assert "tok:zh" in found.bleu_signature
    first, second = [2.0, 2.0 - 0.5, 2.5 - 1.0, 2.5 - 1.5], [1.0, 1.0 - 1.0]
    assert found.measures.long_yaal == pytest.approx(mean([mean(first), mean(second)]))


@pytest.mark.skipif(shutil.which("perl") is None, reason="the tokenizer of Moses is a program of perl")
def test_a_target_language_says_whose_tokens_are_aligned(tmp_path):
    references = write_references(tmp_path, sentences=("eins zwei drei (", "ja vier fünf"))
    # `(ja` is aligned by its letters with `ja`, but by its first token with `(`
    log = write_own(tmp_path / "talk.jsonl", [(2.0, 0.0, "eins zwei drei (ja vier fünf")])
    without, with_tokens = (
        score_live([log], LiveReferences.read(*references), language, tokenizer="none") for language in ("", "de_DE")
    )
    assert (without.alignment_language, with_tokens.alignment_language) == (None, "de")
    assert with_tokens.measures.chrf < without.measures.chrf
    assert "tokens of Moses for 'de'" in with_tokens.as_text()
    assert "aligned by words" in without.as_text()
    assert "tok:none" in without.bleu_signature


def test_the_table_says_that_nothing_was_written_in_time(tmp_path, capsys):
    log = write_own(tmp_path / "talk.jsonl", [(7.0, 0.1, "der Hund")])
    command = list(map(str, ["--live", log, "--references", *write_references(tmp_path)]))
    assert main(command) == 0
    head, row, *notes = capsys.readouterr().out.splitlines()
    assert head.split() == ["recordings", "sentences", "BLEU", "chrF", "LongYAAL", "computation-aware"]
    assert row.split()[:2] == ["1", "2"]
    assert row.split()[-2:] == ["-", "-"]
    assert any(note.startswith("OmniSTEval: 0.1.10, aligned by words") for note in notes)


def test_an_identifier_of_the_server_that_comes_again_is_of_another_recording(tmp_path):
    lines = simulstream_lines(5, "a.wav", PIECES[:2]) + simulstream_lines(5, "b.wav", PIECES[:1])
    found = read_logs([write_lines(tmp_path / "log", lines)])
    assert {name: len(updates) for name, updates in found.items()} == {"a": 2, "b": 1}


OWN_LINE = {"heard": 1.0, "spent": 0.1, "committed": "a", "open": ""}
RECORDING, UPDATE = simulstream_lines(1, "talk.wav", PIECES[:1])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [OWN_LINE, {"heard": 1.0}],
            r"log:2: Object missing required field `spent`; expected the metrics log of simul",
        ),
        ([{**OWN_LINE, "spent": "x"}], r"log:1: Expected `float`, got `str` - at `\$.spent`"),
        ([{"a": 1}], r"log:1: Object missing required field `id`"),
        ([RECORDING, {"id": 1}], r"log:2: Object missing required field `total_audio_processed`"),
        ([UPDATE], r"log:1: no line before it says which recording 1 is"),
        ([RECORDING, UPDATE, RECORDING], r"log:3: recording 'talk' for the second time"),
        ([5], r"log:1: not an object of JSON: Expected `object`, got `int`"),
    ],
)
def test_a_log_of_another_form_is_refused_with_its_line(tmp_path, lines, message):
    with pytest.raises(ScoreError, match=message):
        read_logs([write_lines(tmp_path / "log", lines)])


def test_logs_that_are_missing_empty_cut_or_of_one_recording_are_refused(tmp_path):
    log = write_own(tmp_path / "talk.jsonl")
    with pytest.raises(ScoreError, match="none: cannot be read: No such file"):
        read_logs([tmp_path / "none"])
    with pytest.raises(ScoreError, match="recording 'talk' is in another log too"):
        read_logs([log, write_simulstream(tmp_path / "b")])
    log.write_text(log.read_text()[:-20])
    with pytest.raises(ScoreError, match=r"talk.jsonl:5: not an object of JSON: Input data was truncated"):
        read_logs([log])
    log.write_text("\n\n")
    with pytest.raises(ScoreError, match="talk.jsonl: empty"):
        read_logs([log])


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        (SEGMENTS[:1], "ref.yaml and .*ref.txt do not fit: 1 segments, 2 sentences"),
        (
            {"wav": "a"},
            "ref.yaml: Expected `array`, got `object`; expected a list of {wav: NAME, offset: SECONDS, dura",
        ),
        ([SEGMENTS[0], {"wav": "a"}], r"ref.yaml: Object missing required field `offset` - at `\$\[1\]`"),
        ([SEGMENTS[0], {**SEGMENTS[1], "duration": 0}], "ref.yaml, segment 2: duration must be above 0, got 0"),
        ([{**SEGMENTS[0], "offset": -1}, SEGMENTS[1]], "ref.yaml, segment 1: offset must be 0 or more, got -1"),
        ([SEGMENTS[0], {**SEGMENTS[1], "wav": "b/talk.wav"}], "b/talk.wav and talk.wav have the same name 'talk'"),
    ],
)
def test_references_of_another_form_are_refused(tmp_path, segments, message):
    with pytest.raises(ScoreError, match=message):
        LiveReferences.read(*write_references(tmp_path, segments))


def test_references_that_are_no_yaml_or_out_of_order_are_refused(tmp_path):
    segments = [SEGMENTS[0], {**SEGMENTS[0], "wav": "other.wav"}, SEGMENTS[1]]
    with pytest.raises(ScoreError, match="segment 3: talk.wav comes again; segments of a recording must follow each"):
        LiveReferences.read(*write_references(tmp_path, segments, "abc"))
    for text in ("- {wav: ", "- !!python/object/apply:os.getcwd []"):
        (tmp_path / "ref.yaml").write_text(text)
        with pytest.raises(ScoreError, match="ref.yaml: not YAML: .*; expected a list of"):
            LiveReferences.read(tmp_path / "ref.yaml", tmp_path / "ref.txt")


def test_recordings_that_one_side_lacks_are_named(tmp_path):
    references = LiveReferences.read(*write_references(tmp_path))
    with pytest.raises(ScoreError, match="recording 'log' of the log is not in .*ref.yaml, which has talk; a log of"):
        score_live([write_own(tmp_path / "log.jsonl")], references)
    two = [SEGMENTS[0], {**SEGMENTS[1], "wav": "other.wav"}]
    references = LiveReferences.read(*write_references(tmp_path, two))
    with pytest.raises(ScoreError, match="no log has a translation of other, which .*ref.yaml names"):
        score_live([write_own(tmp_path / "talk.jsonl")], references)


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    references = LiveReferences.read(*write_references(tmp_path))
    log = write_own(tmp_path / "talk.jsonl")
    with monkeypatch.context() as patch, pytest.raises(ScoreError, match="--target-language needs perl"):
        patch.setenv("PATH", str(tmp_path))
        score_live([log], references, "de")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ScoreError, match=r"needs omnisteval, which is not installed; pip install 'fairseq_hmst\[live\]'"
    ):
        score_live([log], references)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('a\\nb\\nc\\nthe reason')", "omnisteval failed with exit status 1:\nb\nc\nthe reason$"),
        (
            "import sys; print('ERROR:omnisteval.scoring:BLEU scoring failed: why\\nINFO:x', file=sys.stderr)",
            "omnisteval failed with exit status 0:\nERROR:omnisteval.scoring:BLEU scoring failed: why$",
        ),
    ],
)
def test_the_last_lines_of_a_failure_are_shown(tmp_path, monkeypatch, program, message):
    stub = tmp_path / "stub" / "omnisteval"
    stub.mkdir(parents=True)
    (stub / "__init__.py").touch()
    (stub / "cli.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(stub.parent))
    with pytest.raises(ScoreError, match=message):
        score_live([write_own(tmp_path / "talk.jsonl")], LiveReferences.read(*write_references(tmp_path)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--live a", "--live needs --references"),
        ("--live a --data b --references c d", "--data: not allowed with argument --live"),
        ("--live a --reference b --references c d", "--reference: not allowed with argument --live"),
        ("--live a --hypothesis b --references c d", "--hypothesis has no effect with --live"),
        ("--live a --references c d --resamples 5", "--resamples has no effect with --live"),
        ("--live a --references c d --comet-python p", "--comet-python has no effect with --live"),
        ("--live a --references c d --languages e", "--languages has no effect without --reference"),
        ("--data a --hypothesis b --references c d", "--references has no effect without --live"),
        ("--data a --hypothesis b --target-language de", "--target-language has no effect without --live"),
        ("--data a", "--reference and --data needs --hypothesis"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        main(options.split())
    assert message in capsys.readouterr().err
