"""The live example: recordings, its script from them to a picture, its choice of settings, and the long stream."""

import csv
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from prompt_models import make_prompt_data_bin, random_checkpoint
from toy import REPOSITORY, run_command

EXAMPLE = REPOSITORY / "examples" / "live"
PROMPTS = REPOSITORY / "examples" / "prompts"
SIZES = ("--train=40", "--text=40", "--dev=6", "--test=8")


@pytest.fixture(autouse=True)
def example_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as of examples/prompts: a corpus of few announcements, and a random model."""
    from fairseq_hmst.export import export

    folder = tmp_path_factory.mktemp("models")
    assert run_command("python", PROMPTS / "compose.py", *SIZES, "--out", folder / "corpus").returncode == 0
    data_bin = make_prompt_data_bin(folder / "prompts")
    (folder / "ctc").mkdir()
    export([[random_checkpoint(folder / "random.pt", data_bin, "hmst_ctc")]], data_bin, folder / "ctc" / "model")
    return folder


@pytest.fixture(scope="module")
def out(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script writes."""
    out = tmp_path_factory.mktemp("live")
    finished = run_script(models, out)
    assert finished.returncode == 0, finished.stderr[-3000:]
    (out / "printed.txt").write_text(finished.stdout)
    return out


def run_script(models: Path, out: Path):
    return run_command("bash", EXAMPLE / "run.sh", "--small", FAMILIES="ctc", MODELS=str(models), OUT=str(out))


def results_of(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]


def test_references_say_where_each_announcement_is_spoken(out, models):
    with (models / "corpus" / "announcements.tsv").open(encoding="utf-8", newline="") as file:
        rows = {row["fr"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    for split in ("dev", "test"):
        folder = out / "recordings" / split
        segments = yaml.safe_load((folder / "references.yaml").read_text())
        sentences = (folder / "references.fr.txt").read_text(encoding="utf-8").splitlines()
        assert len(segments) == len(sentences) == len(set(sentences)) == 3
        for segment, sentence in zip(segments, sentences, strict=True):
            assert rows[sentence]["split"] == split
            samples, rate = soundfile.read(folder / segment["wav"], dtype="int16")
            begin, length = round(segment["offset"] * rate), round(segment["duration"] * rate)
            spoken, _ = soundfile.read(models / "corpus" / rows[sentence]["audio"], dtype="int16")
            np.testing.assert_array_equal(samples[begin : begin + length], spoken)


def test_pauses_lie_in_their_range_and_are_drawn_by_the_seed(models, tmp_path):
    from compose_recordings import compose

    def pauses(name: str, seed: int) -> list[float]:
        compose(models / "corpus", tmp_path / name, {"test": 8}, seconds=1000, seed=seed)
        segments = yaml.safe_load((tmp_path / name / "test" / "references.yaml").read_text())
        ends = [segment["offset"] + segment["duration"] for segment in segments]
        length = soundfile.info(tmp_path / name / "test" / "test-000.wav").duration
        begins = [*(segment["offset"] for segment in segments), length]
        return [begin - end for begin, end in zip(begins, [0.0, *ends], strict=True)]

    first = pauses("first", 0)
    assert len(first) == 9 and all(0.2 - 1e-3 <= pause <= 2.0 + 1e-3 for pause in first)
    assert pauses("again", 0) == first != pauses("other", 1)


def test_more_announcements_than_there_are_is_refused(models, tmp_path):
    from compose_recordings import compose

    with pytest.raises(ValueError, match="dev: 7 announcements wanted, 6 found"):
        compose(models / "corpus", tmp_path / "recordings", {"dev": 7}, seconds=10, seed=0)
    assert not (tmp_path / "recordings").exists()


def test_the_script_measures_settings_on_dev_and_chosen_ones_on_test(out):
    results = results_of(out)
    on_dev = [result["policy"] for result in results if result["split"] == "dev"]
    assert on_dev == ["wait", "look-ahead", "look-ahead"]
    on_test = [result for result in results if result["split"] == "test"]
    assert on_test[0]["policy"] == "wait" and on_test[0]["long_yaal"] is None and len(on_test) > 1
    printed = (out / "printed.txt").read_text()
    for result in on_test[1:]:
        assert result["computation_aware_long_yaal"] > result["long_yaal"]
        assert f"| {result['bleu']:.1f} |" in printed and f"| {result['long_yaal']:.2f} s |" in printed
    assert "look-ahead" in printed and "<svg" in (out / "live.svg").read_text()


def test_a_log_is_what_the_translator_of_its_setting_writes(out, models):
    from settings import Setting

    from fairseq_hmst.live import LiveTranslator

    result = results_of(out)[1]
    setting = Setting(**{name: result[name] for name in Setting.__dataclass_fields__})
    lines = (out / "cells" / "dev" / "ctc" / setting.name / "dev-000.jsonl").read_text(encoding="utf-8").splitlines()
    options = {name: value for name, value in vars(setting).items() if value is not None}
    live = LiveTranslator.from_pretrained(models / "ctc" / "model", sampling_rate=8000, **options)
    samples, _ = soundfile.read(out / "recordings" / "dev" / "dev-000.wav", dtype="int16")
    live.feed(samples)
    live.finish()
    assert "".join(json.loads(line)["committed"] for line in lines) == live.text != ""


def test_what_is_finished_is_not_run_again_unless_the_recordings_change(out, models, monkeypatch):
    import measure_curves

    options = ["--recordings", out / "recordings", "--models", models, "--family", "ctc", "--out", out]
    command = ["measure_curves.py", *options, "--grid", EXAMPLE / "grid_small.yaml"]
    monkeypatch.setattr(sys, "argv", [str(word) for word in command])
    ran: list[str] = []
    run = measure_curves.Cell.run
    monkeypatch.setattr(measure_curves.Cell, "run", lambda cell, model: ran.append(cell.title) or run(cell, model))
    before = results_of(out)
    measure_curves.main()
    assert ran == [] and results_of(out) == before

    path = out / "recordings" / "test" / "references.fr.txt"
    sentences = path.read_text(encoding="utf-8")
    path.write_text(sentences.replace(".", "!"), encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(measure_curves.Cell, "run", lambda cell, model: ran.append(cell.title) or before[-1])
        measure_curves.main()
    path.write_text(sentences, encoding="utf-8")
    assert ran and all(title.startswith("test, ctc") for title in ran)


def test_an_interrupted_cell_leaves_no_result(models, tmp_path, monkeypatch):
    import cells
    from compose_recordings import compose
    from settings import OFFLINE

    from fairseq_hmst.translate.machine import MachineOptions
    from fairseq_hmst.translate.open_model import OpenModel

    compose(models / "corpus", tmp_path / "recordings", {"dev": 1}, seconds=1, seed=0)
    recordings = cells.Recordings(tmp_path / "recordings" / "dev", "fr")
    cell = cells.Cell(tmp_path / "cells", "ctc", models / "ctc" / "model", recordings, OFFLINE)

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cells, "score_live", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cell.run(OpenModel.open(cell.model, MachineOptions(), None))
    assert cell.finished() is None and not cell.folder.exists()


def test_a_setting_is_worth_its_latency_if_it_is_better_than_all_faster_ones():
    from choice import best_settings

    points = [
        (2.0, 60.0),
        (1.0, 50.0),
        (None, 90.0),
        (1.5, 50.4),
        (1.2, 40.0),
        (3.0, 59.0),
        (1.0, 49.0),
        (4.0, 61.0),
        (5.0, 61.9),
    ]
    results = [{"long_yaal": seconds, "bleu": bleu} for seconds, bleu in points]
    found = [(result["long_yaal"], result["bleu"]) for result in best_settings(results)]
    assert found == [(1.0, 50.0), (2.0, 60.0), (4.0, 61.0)]


def test_the_grids_have_settings_for_every_decoding():
    from settings import OFFLINE, read_grid

    for name in ("grid.yaml", "grid_small.yaml"):
        grid = read_grid(EXAMPLE / name)
        assert grid[0] == OFFLINE and len(set(grid)) == len(grid)
        for decoding in ("attention", "ctc", "transducer", "joint"):
            assert sum(setting.fits(decoding) for setting in grid) >= 3, decoding


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{policy: [agreement]}", "expected a list of blocks"),
        ("- {chunk: [1.0]}", "block 1: expected a policy"),
        ("- {policy: [agreement], window: [1.0]}", "block 1: expected a policy"),
        ("- {policy: [agreement], chunk: [99.0]}", "must lie in"),
        ("- {policy: [hope]}", "must be one of"),
    ],
)
def test_grids_at_fault_are_refused(text, message, tmp_path):
    from settings import read_grid

    (tmp_path / "grid.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_grid(tmp_path / "grid.yaml")


def test_the_long_stream_is_measured_minute_by_minute(models, monkeypatch, capsys):
    benchmarks = REPOSITORY / "examples" / "benchmarks"
    options = ["--model", models / "ctc" / "model", "--corpus", models / "corpus", "--minutes", 1, "--chunk", 3]
    monkeypatch.syspath_prepend(str(benchmarks))
    monkeypatch.setattr(sys, "argv", ["live.py", *map(str, options)])
    runpy.run_path(str(benchmarks / "live.py"), run_name="__main__")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[:2] for row in rows[:2]] == [["speech", "1"], ["silence", "1"]] and len(rows) == 6
    (speech, silence), words = rows[:2], [int(row[2]) for row in rows[:2]]
    assert words[0] > 0 and words[1] == 0
    assert float(speech[3]) > float(silence[3]) and all(100 < float(row[6]) < 8000 for row in rows)
