"""examples/must_c on the shaped tree: from the release to a data-bin, through every stage."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile
from cards import read_card

from preprocess.__main__ import main
from preprocess.files.manifest import Utterance, write_manifest
from preprocess.recipe.file import read_recipe
from preprocess.stages.run import plan_steps

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "must_c"
SPLITS = {"train": "train", "dev": "valid", "tst-COMMON": "test_tst-COMMON", "tst-HE": "test_tst-HE"}
SMALL = {"kmeans.clusters": 10, "subwords.unit-vocab": 20, "subwords.source-vocab": 60, "subwords.target-vocab": 60}


@pytest.fixture(scope="module")
def out(whole_tree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What recipe_cpu.yaml makes of the tree, with sizes that its 20 training rows can fill."""
    folder = tmp_path_factory.mktemp("recipe_cpu")
    settings = SMALL | {"manifest.root": whole_tree.root}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    assert main(["run", str(EXAMPLE / "recipe_cpu.yaml"), "--out", str(folder), *words]) == 0
    return folder


def test_the_data_bin_holds_every_segment_of_every_split(whole_tree, out: Path):
    counts = read_card(out / "data-bin", "binarize")["counts"]
    assert {split: counts[split]["st"]["examples"] for split in counts} == {
        name: len(whole_tree.segments[split]) for split, name in SPLITS.items()
    }
    for split in ("dev", "tst-COMMON", "tst-HE"):
        references = (out / f"data-bin/{SPLITS[split]}.st.ref.txt").read_text(encoding="utf-8")
        assert references == "".join(segment.texts["fr"] + "\n" for segment in whole_tree.segments[split])


def test_units_of_a_segment_are_those_of_its_sound_cut_out(whole_tree, out: Path, tmp_path: Path):
    rows = []
    for index, segment in enumerate(whole_tree.segments["dev"]):
        soundfile.write(tmp_path / f"{index}.wav", segment.samples, 16_000)
        rows.append(Utterance(f"{index}", tmp_path / f"{index}.wav", 0.0, None, "en", "fr", "a", "b", ""))
    write_manifest(tmp_path / "cut.tsv", rows)
    options = ["--manifest", tmp_path / "cut.tsv", "--kmeans", out / "kmeans", "--out", tmp_path / "cut.units"]
    assert main(["units", *map(str, options)]) == 0
    lines = [path.read_text().splitlines() for path in (tmp_path / "cut.units", out / "units/dev.units")]
    cut_out, by_offset = ([line.split("\t")[1] for line in file] for file in lines)
    assert cut_out == by_offset


def test_the_recipe_with_the_papers_settings_is_valid(whole_tree, out: Path):
    recipe = read_recipe(EXAMPLE / "recipe.yaml", out, [f"manifest.root={whole_tree.root}"])
    steps = {step.stage: SimpleNamespace(**step.options) for step in plan_steps(recipe)}
    kmeans, subwords = steps["kmeans"], steps["subwords"]
    assert (kmeans.extractor, kmeans.layer, kmeans.clusters) == ("microsoft/wavlm-large", 21, 2000)
    assert (subwords.unit_vocab, subwords.source_vocab, subwords.target_vocab) == (4000, 4000, 4000)
    assert steps["binarize"].repeat == 4
    limits = steps["manifest"].min_seconds, steps["manifest"].max_seconds, steps["manifest"].max_length_ratio
    assert (*limits, steps["manifest"].tgt_lang) == (0.1, 20.0, 4.0, ["de"])
