"""`hmst run`: from a corpus to scores and a model folder; what is made again, and what is refused."""

import json
import re
from pathlib import Path

import pytest
from recipe_corpus import RECIPE, write_corpus

from fairseq_hmst.command.run.command import main
from fairseq_hmst.translate import Translator

SMALL = "embed-dim: 16, ffn-embed-dim: 32, attention-heads: 2, encoder-layers: 2, decoder-layers: 1"
TRAIN = f"""
train:
  {{arch: hmst_aed_tiny, {SMALL}, max-update: 4, max-tokens: 500, warmup-updates: 1, lr: 0.01, cpu: true,
  num-workers: 0, validate-interval-updates: 2, best-checkpoint-metric: loss,
  maximize-best-checkpoint-metric: false, keep-best-checkpoints: 2, log-interval: 2}}
decode: {{beam: 2, max-len-b: 10}}
export: {{lenpen: 1.5}}
"""
STEPS = ["train", "average", "generate", "export"]


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose recipe was run."""
    folder = tmp_path_factory.mktemp("road")
    write_corpus(folder / "corpus")
    for language, text in (("en", "on the cat\n"), ("fr", "dort ici\n")):
        (folder / f"mt.{language}").write_text(text, encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE + TRAIN, encoding="utf-8")
    assert main([str(folder / "recipe.yaml")]) == 0
    return folder


def run_again(folder: Path, capsys: pytest.CaptureFixture[str], *settings: str) -> tuple[int, dict[str, bool], str]:
    """Exit status, whether each step was made again, and what was printed on stderr."""
    words = [word for setting in settings for word in ("--set", setting)]
    status = main([str(folder / "recipe.yaml"), *words])
    printed = capsys.readouterr()
    parts = re.split(r"^== (\w+): .*==$", printed.out, flags=re.MULTILINE)[1:]
    made = {name: "nothing changed, kept" not in text for name, text in zip(parts[::2], parts[1::2], strict=True)}
    made.pop("preprocess", None)
    return status, made, printed.err


def test_it_ends_with_scores_of_every_test_set_and_a_model_that_translates(road: Path):
    report = json.loads((road / "out/train/report.json").read_text(encoding="utf-8"))
    assert {"st", "mt", "card", "ratios", "seconds", "peak_memory_mb"} <= report.keys()
    assert report["st"]["sentences"] == 2
    assert report["card"].startswith("mfcc|L0|k6|dedup|spm8+13|x2|")
    translator = Translator.from_pretrained(road / "out/train/model")
    assert translator.translate(road / "corpus/audio/test0.wav").segments


def test_run_again_it_keeps_everything(road: Path, capsys: pytest.CaptureFixture[str]):
    files = [
        path for path in (road / "out").rglob("*") if path.is_file() and path.suffix in (".pt", ".safetensors", ".txt")
    ]
    before = {path: path.stat().st_mtime_ns for path in files}
    status, made, _ = run_again(road, capsys)
    assert (status, made) == (0, dict.fromkeys(STEPS, False))
    assert {path: path.stat().st_mtime_ns for path in files} == before


def test_another_option_of_decoding_trains_nothing(road: Path, capsys: pytest.CaptureFixture[str]):
    status, made, _ = run_again(road, capsys, "decode.beam=1")
    assert (status, made) == (0, {"train": False, "average": False, "generate": True, "export": False})


def test_a_longer_training_goes_on_and_the_model_is_exported_again(road: Path, capsys: pytest.CaptureFixture[str]):
    card = (road / "out/train/model/card.json").read_bytes()
    status, made, _ = run_again(road, capsys, "train.max-update=6")
    assert (status, made["train"], made["export"]) == (0, True, True)
    assert (road / "out/train/model/card.json").read_bytes() != card


def test_a_finished_training_makes_no_more_updates(road: Path, capsys: pytest.CaptureFixture[str]):
    average = (road / "out/train/average.pt").read_bytes()
    status, made, _ = run_again(road, capsys, "train.max-update=6", "train.log-interval=1")
    assert (status, made["train"], made["export"]) == (0, True, False)
    assert (road / "out/train/average.pt").read_bytes() == average


def test_another_training_in_the_same_folder_is_refused(road: Path, capsys: pytest.CaptureFixture[str]):
    status, _, error = run_again(road, capsys, "train.max-update=6", "train.lr=0.02")
    assert status == 1
    assert "its checkpoints were trained with other options: --lr 0.01; give these again" in error


def test_a_training_does_not_go_on_with_another_data_bin(road: Path, capsys: pytest.CaptureFixture[str]):
    status, _, error = run_again(road, capsys, "binarize.repeat=3")
    assert status == 1 and "out/train: its checkpoints were trained on another data-bin; give another" in error
    assert run_again(road, capsys, "train.max-update=6")[0] == 0


def test_a_model_folder_that_somebody_changed_is_not_replaced(road: Path, capsys: pytest.CaptureFixture[str]):
    card = road / "out/train/model/card.json"
    content = card.read_bytes()
    card.write_bytes(content.replace(b'"scores": null', b'"scores": "mine"'))
    status, _, error = run_again(road, capsys, "train.max-update=6", "export.lenpen=2")
    assert status == 1 and "would be lost: card.json; move it away" in error
    assert card.is_file()
    card.write_bytes(content)


def test_a_fault_of_the_last_section_ends_it_before_the_first_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write_corpus(tmp_path / "corpus")
    recipe = RECIPE.replace("mt-text: [mt.en, mt.fr]", "") + TRAIN.replace("lenpen", "lenpn")
    (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
    assert main([str(tmp_path / "recipe.yaml")]) == 1
    assert "export has no option 'lenpn'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
