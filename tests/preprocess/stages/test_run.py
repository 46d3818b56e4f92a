"""What a recipe runs, and what it leaves alone, told by its log and by the files' times."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cards import edit_card, read_card
from recipe_corpus import RECIPE, write_corpus
from tiny_mbart import train_sentencepiece, write_fairseq_mbart

from preprocess.__main__ import main
from preprocess.files.cards.stage_cards import UnitsCard

ROOT = Path(__file__).resolve().parents[3]
UNITS = ["units.train", "units.dev", "units.test"]
ALL = ["manifest", "kmeans", *UNITS, "subwords", "binarize"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe that was run."""
    folder = tmp_path_factory.mktemp("recipe") / "made"
    write_corpus(folder / "corpus")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (folder / "mt.en").write_text("on the cat\n", encoding="utf-8")
    (folder / "mt.fr").write_text("dort ici\n", encoding="utf-8")
    assert main(["run", str(folder / "recipe.yaml")]) == 0
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change; its manifests name the audio of the original."""
    return shutil.copytree(made, tmp_path / "made")


def run(folder: Path, caplog: pytest.LogCaptureFixture, *options: str) -> list[str]:
    """Run the recipe and return the names of the steps that were not skipped."""
    caplog.clear()
    with caplog.at_level("INFO", "preprocess.stages.run"):
        assert main(["run", str(folder / "recipe.yaml"), *options]) == 0
    lines = [record.getMessage() for record in caplog.records if record.name == "preprocess.stages.run"]
    return [line.split(":")[0] for line in lines if "nothing changed" not in line]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_recipe_makes_everything_up_to_the_data_bin(made: Path):
    card = read_card(made / "out" / "data-bin", "binarize")
    assert card["repeat"] == 2
    assert {split: counts["st"]["examples"] for split, counts in card["counts"].items()} == {
        "train": 8,
        "valid": 2,
        "test": 2,
    }
    assert card["counts"]["train"]["mt"]["examples"] == 9
    assert card["kmeans"]["clusters"] == 6
    assert sorted(path.name for path in (made / "out").iterdir()) == sorted(
        [".recipe", "manifest", "kmeans", "units", "subwords", "data-bin"]
    )


def times_of_outputs(folder: Path) -> dict[Path, int]:
    """Of all but the list of hashes: files that had just been written at the first run are noted at the second."""
    paths = [path for path in (folder / "out").rglob("*") if path.name not in (".recipe", "hashes.json")]
    return {path: path.stat().st_mtime_ns for path in paths}


def test_run_again_it_does_nothing(folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    before = times_of_outputs(folder)
    assert run(folder, caplog) == []
    monkeypatch.chdir(folder.parent)
    assert run(Path("made"), caplog) == []
    assert times_of_outputs(folder) == before


def test_run_again_it_imports_no_heavy_library(folder: Path):
    recipe = str(folder / "recipe.yaml")
    code = f"import sys; from preprocess.__main__ import main; main(['run', {recipe!r}]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.count("nothing changed") == len(ALL)
    assert {"torch", "fairseq", "sklearn", "transformers", "sentencepiece"}.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("binarize.repeat=3", ["binarize"]),
        ("subwords.target-vocab=12", ["subwords", "binarize"]),
        ("kmeans.seed=1", ["kmeans", *UNITS, "subwords", "binarize"]),
        ("manifest.src-lang=de", ALL),
    ],
)
def test_a_changed_option_runs_its_stage_and_those_after_it(
    folder: Path, caplog: pytest.LogCaptureFixture, setting: str, expected: list[str]
):
    assert run(folder, caplog, "--set", setting) == expected
    assert run(folder, caplog, "--set", setting) == []
    assert run(folder, caplog) == expected


def test_who_does_the_work_changes_nothing(folder: Path, caplog: pytest.LogCaptureFixture):
    assert run(folder, caplog, "--set", "units.workers=2", "--set", "kmeans.max-errors=0.1") == []


def test_changed_inputs_run_the_stages_that_read_them(folder: Path, caplog: pytest.LogCaptureFixture):
    change(folder / "mt.fr", "dort ici", "ici dort")
    assert run(folder, caplog) == ["binarize"]
    change(folder / "corpus" / "dev.tsv", "le chat", "ici le chat")
    assert run(folder, caplog) == ["manifest", "units.dev", "binarize"]
    (folder / "corpus" / "test.tsv").rename(folder / "corpus" / "test_two.tsv")
    assert run(folder, caplog) == ["manifest", "units.test_two", "binarize"]


def test_changed_audio_runs_what_listens_to_it(folder: Path, caplog: pytest.LogCaptureFixture):
    shutil.rmtree(folder / "out" / "manifest")
    assert run(folder, caplog)[0] == "manifest"  # now it names the audio of the copy
    audio = folder / "corpus" / "audio"
    shutil.copy(audio / "dev1.wav", audio / "dev0.wav")  # of the same size
    assert run(folder, caplog) == ["manifest", "units.dev", "binarize"]
    shutil.copy(audio / "train1.wav", audio / "train0.wav")
    assert run(folder, caplog) == ALL


def test_files_that_were_touched_but_not_changed_make_nothing_again(folder: Path, caplog: pytest.LogCaptureFixture):
    shutil.rmtree(folder / "out" / "manifest")
    assert run(folder, caplog)[0] == "manifest"  # now it names the audio of the copy
    for path in folder.rglob("*"):
        os.utime(path, (2e9, 2e9))
    assert run(folder, caplog) == []
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9))
    assert run(folder, caplog) == []


def test_damaged_outputs_are_made_again(folder: Path, caplog: pytest.LogCaptureFixture):
    (folder / "out" / "data-bin" / "train.st.src.bin").unlink()
    assert run(folder, caplog) == ["binarize"]
    change(folder / "out" / "units" / "dev.units", "dev0", "dev9")
    assert run(folder, caplog)[0] == "units.dev"
    (folder / "out" / "kmeans" / "centroids.npz").write_bytes(b"")
    assert run(folder, caplog) == ["kmeans"]
    shutil.rmtree(folder / "out" / ".recipe")
    assert run(folder, caplog) == ALL


def test_a_failed_recipe_goes_on_where_it_stopped(
    folder: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    recipe = str(folder / "recipe.yaml")
    assert main(["run", recipe, "--out", str(folder / "new"), "--set", "subwords.unit-vocab=3"]) == 1
    assert "asked for 3 pieces" in capsys.readouterr().err
    assert not (folder / "new" / "subwords").exists()
    assert run(folder, caplog, "--out", str(folder / "new")) == ["subwords", "binarize"]


def test_finished_outputs_stand_in_for_stages(folder: Path, caplog: pytest.LogCaptureFixture):
    (folder / "recipe.yaml").write_text(
        "out: second\nmanifest: out/manifest\nkmeans: out/kmeans\nunits: out/units\nsubwords: out/subwords\n"
    )
    assert run(folder, caplog) == ["binarize"]
    assert read_card(folder / "second" / "data-bin", "binarize")["repeat"] == 4
    (folder / "recipe.yaml").write_text(
        "out: third\nmanifest: out/manifest\nkmeans: out/kmeans\n"
        "subwords: {unit-vocab: 8, source-vocab: 13, target-vocab: 13, target-text: [mt.fr, out/manifest/train.tsv]}\n"
    )
    assert run(folder, caplog) == [*UNITS, "subwords", "binarize"]


def test_a_text_model_stands_in_for_the_texts_of_the_subwords(folder: Path, caplog: pytest.LogCaptureFixture):
    write_fairseq_mbart(folder / "tiny", "mbart-50")
    (folder / "recipe.yaml").write_text(
        "out: fourth\nmanifest: out/manifest\nkmeans: out/kmeans\nunits: out/units\n"
        "subwords: {unit-vocab: 8, text-model: tiny}\nbinarize: {keep-all-pieces: true}\n"
    )
    assert run(folder, caplog) == ["subwords", "binarize"]
    assert read_card(folder / "fourth" / "data-bin", "binarize")["text_model"]["name"] == "tiny"
    assert run(folder, caplog) == []
    (folder / "tiny" / "sentence.bpe.model").write_bytes(train_sentencepiece(num_pieces=44))
    assert run(folder, caplog) == ["subwords", "binarize"]
    no_model = [
        "--set",
        "subwords.text-model=",
        "--set",
        "subwords.source-vocab=13",
        "--set",
        "subwords.target-vocab=13",
    ]
    assert run(folder, caplog, *no_model, "--set", "binarize.keep-all-pieces=false") == ["subwords", "binarize"]
    assert read_card(folder / "fourth" / "data-bin", "binarize")["text_model"] is None


def test_a_recipe_with_finished_units_needs_no_audio(folder: Path, caplog: pytest.LogCaptureFixture):
    for path in (folder / "out" / "manifest").glob("*.tsv"):
        change(path, ".wav\t", ".gone.wav\t")
    edit_card(folder / "out" / "manifest" / "card.json", remeasure=True)
    (folder / "recipe.yaml").write_text(
        "out: fifth\nmanifest: out/manifest\nkmeans: out/kmeans\nunits: out/units\n"
        "subwords: {unit-vocab: 8, source-vocab: 13, target-vocab: 13}\n"
    )
    assert run(folder, caplog) == ["subwords", "binarize"]


@pytest.mark.parametrize("speeds", ["[0.9, 1, 1.1]", "'0.9,1,1.1'"])
def test_speeds_are_of_train_alone(folder: Path, caplog: pytest.LogCaptureFixture, speeds: str):
    change(folder / "recipe.yaml", "subwords:", f"units: {{speeds: {speeds}}}\nsubwords:")
    assert run(folder, caplog) == ["units.train", "subwords", "binarize"]
    units = {split: UnitsCard.read_file(folder / f"out/units/{split}.card.json") for split in ("train", "dev", "test")}
    assert {split: (card.speeds, card.utterances) for split, card in units.items()} == {
        "train": ((0.9, 1.0, 1.1), 3 * 8),
        "dev": ((1.0,), 2),
        "test": ((1.0,), 2),
    }
    counts = read_card(folder / "out/data-bin", "binarize")["counts"]
    assert {split: (entry["st"]["examples"], entry["mt"]["examples"]) for split, entry in counts.items()} == {
        "train": (3 * 8, 9),
        "valid": (2, 2),
        "test": (2, 2),
    }
    assert counts["train"]["st"]["seconds"] == pytest.approx(8 * 0.5 * (1 / 0.9 + 1 + 1 / 1.1), rel=1e-3)
    assert run(folder, caplog) == []
    other = "'0.9, 1,1.1'" if speeds.startswith("[") else "[0.9, '1', 1.10]"
    change(folder / "recipe.yaml", f"speeds: {speeds}", f"speeds: {other}")
    assert run(folder, caplog) == []  # the same, written otherwise
    change(folder / "recipe.yaml", f"{{speeds: {other}}}", "{}")
    assert run(folder, caplog) == ["units.train", "subwords", "binarize"]


@pytest.mark.parametrize("setting", ["units.speeds=1", "units.speeds=[1]"])
def test_outputs_of_before_there_were_speeds_are_kept(folder: Path, caplog: pytest.LogCaptureFixture, setting: str):
    records = [json.loads(path.read_text()) for path in (folder / "out/.recipe").glob("units.*.json")]
    assert len(records) == 3 and not any("speeds" in record["inputs"] for record in records)
    assert run(folder, caplog, "--set", setting) == []


@pytest.mark.parametrize(
    ("speeds", "message"),
    [
        ("[0.9, 1.1]", "recipe.yaml:8: --speeds must have 1 among them, speech as it is, got 0.9,1.1"),
        ("'1,3'", "recipe.yaml:8: --speeds must lie in 0.5..2, got 3"),
        ("1;2", "recipe.yaml:8: units: argument --speeds: invalid float value: '1;2'"),
    ],
)
def test_speeds_at_fault_are_told_before_the_first_stage(folder: Path, capsys, speeds: str, message: str):
    shutil.rmtree(folder / "out")
    change(folder / "recipe.yaml", "subwords:", f"units: {{speeds: {speeds}}}\nsubwords:")
    assert main(["run", str(folder / "recipe.yaml")]) == 1
    assert message in capsys.readouterr().err
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("binarize.repeet=4", "binarize has no option 'repeet'; did you mean 'repeat'?"),
        ("binarize.mt-text=[gone.en, gone.fr]", "binarize: mt-text does not exist: "),
        ("binarize.mt-ratio=[2]", "options of external text are given, but no --mt-text"),
    ],
)
def test_faults_of_late_stages_are_told_before_the_first(folder: Path, capsys, setting: str, message: str):
    shutil.rmtree(folder / "out")
    change(folder / "recipe.yaml", "  mt-text: [mt.en, mt.fr]\n", "")
    assert main(["run", str(folder / "recipe.yaml"), "--set", setting]) == 1
    assert message in capsys.readouterr().err
    assert not (folder / "out").exists()
    assert main(["run", str(folder / "recipe.yaml"), "--set", setting, "--set", "kmeans.clusters=0"]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "--clusters must lie in 1.." in error
