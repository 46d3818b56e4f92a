"""The recipes of fish_fillets and libreoffice_help, run on made-up packages of the true shape."""

import io
import itertools
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from debian_stubs import Archive
from help_tree import plain_page

from preprocess.__main__ import main
from preprocess.corpora import fish_fillets, libreoffice_help
from preprocess.corpora.rows.held_out import split_of
from preprocess.recipe.file import read_recipe
from preprocess.stages.run import plan_steps

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WORDS = "ryba loď voda kámen poklad mapa oko ocel dveře klíč hudba stroj moře hvězda".split()
SMALL = "kmeans.clusters=8 subwords.unit-vocab=20 subwords.source-vocab=32 subwords.target-vocab=32".split()


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    return Archive(tmp_path, monkeypatch)


def noise(generator: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, generator.uniform(-0.5, 0.5, 11_025), 22_050, format="OGG", subtype="VORBIS")
    return buffer.getvalue()


def sentences(count: int, seed: int) -> list[str]:
    generator = random.Random(seed)
    return [" ".join(generator.choices(WORDS, k=4)) for _ in range(count)]


def add_fish_fillets(archive: Archive) -> None:
    generator, files = np.random.default_rng(0), {}
    for level in ("airplane", "start", "ufo", "creatures", "chest"):
        scripts = {"cs": "", "en": ""}
        for number, text in enumerate(sentences(8, seed=len(files))):
            call = f'dialogId("{number}", "font_big", "the {text[::-1]}")\n'
            scripts["en"] += call
            scripts["cs"] += call + f'dialogStr("{text}")\n'
            if number:
                files[f"{fish_fillets.GAME}/sound/{level}/cs/{number}.ogg"] = noise(generator)
        files |= {f"{fish_fillets.GAME}/script/{level}/dialogs_{key}.lua": text for key, text in scripts.items()}
    archive.add("fillets-ng-data", files)
    archive.add("fillets-ng-data-cs", {})
    archive.add("fillets-ng-data-nl", {})


def add_libreoffice_help(archive: Archive) -> None:
    pages = {
        split: next(page for page in map(str, itertools.count()) if libreoffice_help.split_of_page(page) == split)
        for split in ("train", "dev", "test")
    }
    files = {}
    for seed, page in enumerate(pages.values()):
        english = [text.encode("ascii", "ignore").decode() for text in sentences(12 if seed == 0 else 3, seed)]
        english.append(f"Menu {page}")
        files |= plain_page(
            page, {key: [f"{key}{text[::-1]}" for text in english] for key in ("de", "es", "fr")} | {"en": english}
        )
    for package in libreoffice_help.PACKAGES:
        folder = f"/help/{package.removeprefix('libreoffice-help-').replace('us', 'US')}/"
        archive.add(package, {path: content for path, content in files.items() if folder in path})
    archive.add_synthesizers()


@pytest.mark.parametrize(
    ("corpus", "add_packages", "pair"),
    [("fish_fillets", add_fish_fillets, "cs-en"), ("libreoffice_help", add_libreoffice_help, "en-de")],
)
def test_one_command_goes_from_nothing_to_a_data_bin_and_then_does_nothing(
    archive: Archive, tmp_path: Path, caplog, corpus: str, add_packages, pair: str
):
    add_packages(archive)
    shutil.copy(EXAMPLES / corpus / "recipe_cpu.yaml", tmp_path)
    command = ["run", str(tmp_path / "recipe_cpu.yaml"), *itertools.chain(*(("--set", setting) for setting in SMALL))]
    assert main(command) == 0
    card = json.loads((tmp_path / "out/cpu/data-bin/card.json").read_text())
    assert {split: sorted(streams) for split, streams in card["counts"].items()} == {
        "train": ["mt", "st"],
        "valid": ["mt", "st"],
        "test": ["mt", "st"],
    }
    num_external = len((tmp_path / f"out/cpu/manifest/mt.{pair}.{pair[-2:]}").read_text().splitlines())
    assert num_external > 0
    assert card["counts"]["train"]["mt"]["examples"] == card["counts"]["train"]["st"]["examples"] + num_external
    caplog.set_level("INFO")
    caplog.clear()
    assert main(command) == 0
    steps = [message for message in caplog.messages if ": " in message and not message.startswith("recipe")]
    assert len(steps) == 7
    assert all("nothing changed, kept" in message for message in steps)


@pytest.mark.parametrize("recipe", ["fish_fillets/recipe.yaml", "libreoffice_help/recipe.yaml"])
def test_the_papers_recipes_hold_options_that_there_are(recipe: str, tmp_path: Path):
    steps = plan_steps(read_recipe(EXAMPLES / recipe, tmp_path / "out"))
    assert next(steps).options["fetch"]
    kmeans = next(steps).options
    assert (kmeans["extractor"], kmeans["layer"], kmeans["clusters"]) == ("microsoft/wavlm-large", 21, 2000)


def test_the_real_levels_of_the_split_are_those_that_the_readme_names():
    readme = (EXAMPLES / "fish_fillets/README.md").read_text()
    for level in ("creatures", "elevator1", "elevator2", "map"):
        assert split_of(level, fish_fillets.DEV_PERCENT, fish_fillets.TEST_PERCENT) == "dev"
        assert level in readme
