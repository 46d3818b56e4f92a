"""Every stage, killed at every change of a file: run again it ends as if nobody had killed it, and nothing is lost.

Before it is run again it meets a full disk: then its earlier output is there whole, with its lists, or the new one.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from file_events import check_every_kill

from preprocess.__main__ import main
from preprocess.speech import shards
from preprocess.stages import inspect

ROWS = [f"u{number}\t{number}.wav\ta dog barks {number}\tun chien {number}\n" for number in range(3)]
SHORT = "short\tshort.wav\tx\ty\n"
BROKEN = "broken\tnone.wav\tx\ty\n"
SKIP = "--on-error skip --max-errors 0.5"
MANIFEST = "manifest tsv --root {root} --src-lang en --tgt-lang fr --out {folder}/manifest"
KMEANS = "kmeans --manifest {folder}/manifest/train.tsv --extractor mfcc --portion 1 --out {folder}/kmeans --clusters"
UNITS = "units --manifest {folder}/{manifest}.tsv --kmeans {folder}/kmeans --out {folder}/train.units " + SKIP
SUBWORDS = (
    "subwords --units {folder}/train.units --source-text {folder}/manifest/train.tsv --target-text "
    "{folder}/manifest/train.tsv --source-vocab 14 --target-vocab 12 --out {folder}/subwords --unit-vocab"
)
BINARIZE = (
    "binarize --manifest-dir {folder}/manifest --units-dir {folder} --subwords {folder}/subwords "
    "--out {folder}/data-bin --repeat"
)
INSPECT = "inspect {folder}/data-bin --out {folder}/report"
RECIPE = """out: recipe
manifest: {corpus: tsv, root: ../raw, src-lang: en, tgt-lang: fr}
kmeans: {extractor: mfcc, portion: 1, clusters: 4}
subwords: {unit-vocab: 5, source-vocab: 14, target-vocab: 12}
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """raw/, and in made/ the outputs of all stages before `inspect`."""
    corpus = tmp_path_factory.mktemp("kills")
    (corpus / "raw").mkdir()
    for number in range(3):
        samples = np.random.default_rng(number).uniform(-0.1, 0.1, 3200)
        soundfile.write(corpus / f"raw/{number}.wav", samples, 16_000)
    soundfile.write(corpus / "raw/short.wav", samples[:1600], 16_000)
    (corpus / "raw/train.tsv").write_text("id\taudio\tsrc_text\ttgt_text\n" + "".join(ROWS))
    for command in (MANIFEST, f"{KMEANS} 4", UNITS, f"{SUBWORDS} 5", f"{BINARIZE} 4"):
        assert main(words(command, corpus, corpus / "made")) == 0
    return corpus


def words(command: str, corpus: Path, folder: Path, manifest: str = "manifest/train") -> list[str]:
    return command.format(root=corpus / "raw", folder=folder, manifest=manifest).split()


@pytest.fixture
def made(corpus: Path) -> Iterator[Path]:
    """A copy of made/ to kill stages in."""
    shutil.copytree(corpus / "made", corpus / "killed")
    yield corpus / "killed"
    shutil.rmtree(corpus / "killed")


@pytest.mark.parametrize(
    ("former", "command", "outputs"),
    [
        (f"{KMEANS} 3", f"{KMEANS} 4", ["kmeans"]),
        (f"{SUBWORDS} 6", f"{SUBWORDS} 5", ["subwords"]),
        (f"{BINARIZE} 2", f"{BINARIZE} 3", ["data-bin"]),
    ],
    ids=["kmeans", "subwords", "binarize"],
)
def test_a_stage_loses_nothing(corpus: Path, made: Path, former: str, command: str, outputs: list[str]):
    assert main(words(former, corpus, made)) == 0
    check_every_kill(made, lambda: main(words(command, corpus, made)), outputs)


def test_units_and_their_lists_are_replaced_together(corpus: Path, made: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shards, "SHARD_SECONDS", 0.3)  # a shard has one row
    manifest = made / "manifest/train.tsv"
    (made / "manifest/card.json").unlink()  # it is one's own from now on
    rows = manifest.read_text()
    manifest.write_text(rows.replace("2.wav", "none.wav"))
    outputs = ["train.units", "train.card.json", "train.errors.tsv"]
    assert main(words(UNITS, corpus, made)) == 0
    assert (made / "train.errors.tsv").exists()
    manifest.write_text(rows.replace("1.wav", "none.wav"))
    check_every_kill(made, lambda: main(words(UNITS, corpus, made)), outputs)
    manifest.write_text(rows)
    assert main(words(UNITS, corpus, made)) == 0
    assert not (made / "train.errors.tsv").exists()


def test_manifests_and_their_lists_are_replaced_together(corpus: Path, made: Path):
    shutil.copytree(corpus / "raw", made / "raw")
    table, command = made / "raw/train.tsv", words(f"{MANIFEST} {SKIP} --min-seconds 0.15", made, made)
    rows = table.read_text()
    table.write_text(rows + BROKEN)
    assert main(command) == 0
    table.write_text(rows + SHORT + BROKEN.replace("broken", "other"))
    check_every_kill(made, lambda: main(command), ["manifest", "manifest.errors.tsv", "manifest.filtered.tsv"])
    assert (made / "manifest.errors.tsv").exists() and (made / "manifest.filtered.tsv").exists()


def test_inspect_loses_nothing(corpus: Path, made: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inspect, "draw_charts", lambda figures: {})
    monkeypatch.setattr(inspect, "make_page", lambda figures, charts: "an earlier page")
    assert main(words(INSPECT, corpus, made)) == 0
    monkeypatch.setattr(inspect, "make_page", lambda figures, charts: "a page")
    check_every_kill(made, lambda: main(words(INSPECT, corpus, made)), ["report"])


def test_a_recipe_loses_nothing(corpus: Path, made: Path):
    command = ["run", str(made / "recipe.yaml")]
    (made / "recipe.yaml").write_text(RECIPE)
    assert main(command) == 0
    again = [*command, "--set", "binarize.repeat=2"]
    check_every_kill(made, lambda: main(again), ["recipe/data-bin"], is_of_the_recipe)


def is_of_the_recipe(change: str) -> bool:
    """Whether a change is not one of those within a stage that the tests above kill."""
    return any(name in change for name in (".recipe", ".lock", ".whole", "recipe/data-bin"))
