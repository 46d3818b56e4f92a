"""Every command that writes, killed at every change of a file: run again it ends as if nobody had killed it.

What takes long is replaced by stand-ins, which write a little of what the work would write.
"""

import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from file_events import Killed, check_every_kill, tree, watched

from fairseq_hmst import average
from fairseq_hmst.command import generate
from fairseq_hmst.command.hmst import main
from fairseq_hmst.command.run import report, road
from fairseq_hmst.command.run.road_recipe import RoadRecipe
from fairseq_hmst.command.train import command as train
from fairseq_hmst.export import exported_model
from fairseq_hmst.export.exported_model import ExportedModel
from fairseq_hmst.model_folder.card import ModelConfig, ModelEntry
from fairseq_hmst.models.pretrained import Architecture, PretrainedCard, PretrainedModel
from fairseq_hmst.text_start import convert, start
from fairseq_hmst.translate import Translator
from fairseq_hmst.translate.results import Hypothesis, Segment, Translation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Checkpoints a.pt and b.pt, which are none but for their form."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("a", "b"):
        torch.save({"name": name}, folder / f"{name}.pt")
    return folder


def join_checkpoints(paths, ema):
    return {"model": {}, "names": [torch.load(path) for path in paths]}


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Averages, decoding, scores and weights without work."""

    def write_models(folder: Path, groups, task, generation) -> list[ExportedModel]:
        (folder / "model.safetensors").write_bytes(b"".join(path.read_bytes() for path in groups[0]))
        entry = ModelEntry("model.safetensors", {"_name": "hmst_ctc"})
        ModelConfig((entry,), generation).write(folder)
        return [ExportedModel(SimpleNamespace(parameters=lambda: [], decodings=("ctc",)), entry)]

    def decode(data_bin, checkpoints, test_set, folder: Path, options) -> None:
        text = "".join(str(torch.load(path)) for path in checkpoints)
        (folder / f"generate-{test_set.split}.txt").write_text(text)

    score = SimpleNamespace(bleu=1.0, chrf=1.0, bp=1.0, sentences=1, as_dict=lambda: {"bleu": 1.0})
    monkeypatch.setattr(average, "average_checkpoints", join_checkpoints)
    monkeypatch.setattr(exported_model, "_write_models", write_models)
    monkeypatch.setattr(generate, "run_fairseq_generate", decode)
    monkeypatch.setattr("fairseq_hmst.score.score_output", lambda *paths: score)
    monkeypatch.setattr(report, "score_output", lambda *paths: score)


def run(*command: object) -> int:
    return main([str(word) for word in command])


@pytest.mark.usefixtures("stand_ins")
def test_average_loses_nothing(folder: Path):
    assert run("average", "--model", folder / "a.pt", "--out", folder / "mean.pt") == 0
    command = ["average", "--model", folder / "a.pt", folder / "b.pt", "--out", folder / "mean.pt"]
    check_every_kill(folder, lambda: run(*command), ["mean.pt"])


@pytest.mark.usefixtures("stand_ins")
def test_export_loses_nothing(folder: Path, toy_data_bin: Path):
    common = ["export", "--data", toy_data_bin, "--out", folder / "model", "--model"]
    assert run(*common, folder / "a.pt") == 0
    check_every_kill(folder, lambda: run(*common, folder / "b.pt"), ["model"])


@pytest.mark.usefixtures("stand_ins")
def test_generate_loses_nothing(folder: Path, toy_data_bin: Path):
    common = ["generate", "--data", toy_data_bin, "--stream", "st", "--out", folder / "out", "--model"]
    assert run(*common, folder / "a.pt") == 0
    check_every_kill(folder, lambda: run(*common, folder / "b.pt"), ["out"])


def test_text_start_loses_nothing(folder: Path, toy_data_bin: Path, monkeypatch: pytest.MonkeyPatch):
    architecture = Architecture(**{field.name: 1 for field in fields(Architecture)})

    def converted(text_model, data_bin, seed: int, path: Path) -> PretrainedModel:
        return PretrainedModel(path, architecture, {"x": torch.full((2,), seed)}, PretrainedCard(None, {}, seed))

    monkeypatch.setattr(start, "read_text_model", lambda *arguments: None)
    monkeypatch.setattr(convert, "convert", converted)
    monkeypatch.setattr(convert, "describe", lambda *arguments: "")
    command = ["text-start", "--from", "none", "--data", toy_data_bin, "--out", folder / "start.pt", "--seed"]
    assert run(*command, 1) == 0
    check_every_kill(folder, lambda: run(*command, 2), ["start.pt"])


def test_subtitles_are_there_whole_or_not(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """A file of subtitles that is there is never replaced, so a second run is told to name another folder."""

    def stream(recordings: list[str], **options: object) -> Iterator[Translation]:
        for name in recordings:
            yield Translation(name, (Segment(0.0, 1.0, (Hypothesis(f"words of {name}", 0.0, ()),)),))

    translator = SimpleNamespace(recordings=lambda files: files, stream=stream)
    monkeypatch.setattr(Translator, "from_pretrained", lambda *arguments, **options: translator)
    command = ["translate", "model", "a.wav", "b.wav", "--format", "srt", "--out-dir", folder / "srt"]
    with watched(folder) as undisturbed:
        assert run(*command) == 0
    after = tree(folder / "srt")
    assert after.keys() == {"a.srt", "b.srt"}
    for number in range(1, len(undisturbed.changes) + 1):
        shutil.rmtree(folder / "srt")
        with watched(folder, kill_at=number), pytest.raises(Killed):
            run(*command)
        for path in (folder / "srt").glob("*.srt"):
            assert path.read_bytes() == after[path.name]
            assert run(*command) == 2
            path.unlink()
        assert run(*command) == 0
        assert tree(folder / "srt") == after


@pytest.mark.usefixtures("stand_ins")
def test_the_road_loses_nothing(folder: Path, toy_data_bin: Path, monkeypatch: pytest.MonkeyPatch):
    save_dir = folder / "train"

    def train_little(words: list[str]) -> int:
        for name in ("checkpoint.best_bleu_1.pt", "checkpoint.best_bleu_2.pt", "checkpoint_last.pt"):
            torch.save({"name": name, "updates": words[words.index("--max-update") + 1]}, save_dir / f".{name}")
            (save_dir / f".{name}").rename(save_dir / name)
        return 0

    def plan(updates: int) -> RoadRecipe:
        values = {"best-checkpoint-metric": "bleu", "max-update": str(updates)}
        return RoadRecipe(None, toy_data_bin, save_dir, values, "average", ("test",), ("st",), (), ())

    monkeypatch.setattr(train, "main", train_little)
    monkeypatch.setattr(road, "preprocess", lambda words: 0)
    monkeypatch.setattr(road, "print_report", lambda *arguments: None)
    monkeypatch.setattr(road, "check_before_work", lambda *arguments: plan(1))
    assert run("run", "recipe.yaml") == 0
    monkeypatch.setattr(road, "check_before_work", lambda *arguments: plan(2))
    check_every_kill(folder, lambda: run("run", "recipe.yaml"), ["train/model"], is_of_the_road)


def is_of_the_road(change: str) -> bool:
    """Whether a change is not one of those within a command that the tests above kill."""
    names = (".road/", ".lock", ".whole", ".json", "train/average.pt", "train/model", "train/st")
    return any(name in change for name in names) and ".model.partial" not in change
