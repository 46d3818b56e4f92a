"""What a recipe says before anything is run: paths, settings, and faults."""

from pathlib import Path

import pytest

from preprocess.__main__ import main
from preprocess.errors import RecipeError
from preprocess.recipe.file import read_recipe
from preprocess.stages.run import plan_steps

ROOT = Path(__file__).resolve().parents[3]
UNITS = ["units.train", "units.dev", "units.test"]
ALL = ["manifest", "kmeans", *UNITS, "subwords", "binarize"]


def test_an_extractor_folder_counts_from_the_recipe(tmp_path: Path):
    (tmp_path / "models" / "wavlm").mkdir(parents=True)
    (tmp_path / "recipe.yaml").write_text("out: out\nmanifest: m\nkmeans: {extractor: models/wavlm, layer: 3}\n")
    steps = plan_steps(read_recipe(tmp_path / "recipe.yaml"))
    assert next(steps).options["extractor"] == str(tmp_path / "models" / "wavlm")
    steps = plan_steps(read_recipe(tmp_path / "recipe.yaml", settings=["kmeans.extractor=microsoft/wavlm-large"]))
    assert next(steps).options["extractor"] == "microsoft/wavlm-large"


def test_paths_of_settings_count_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("deep").mkdir()
    Path("deep/recipe.yaml").write_text("out: out\nmanifest: {corpus: tsv, root: a, tgt-lang: no}\n")
    options = next(plan_steps(read_recipe(Path("deep/recipe.yaml")))).options
    assert (options["root"], options["out"], options["tgt_lang"]) == (Path("deep/a"), Path("deep/out/manifest"), "no")
    recipe = read_recipe(Path("deep/recipe.yaml"), Path("here"), ["manifest.root=b"])
    options = next(plan_steps(recipe)).options
    assert (options["root"], options["out"]) == (Path("b"), Path("here/manifest"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "out: o\nmanifest:\n  corpus: tsv\n  rot: x\n",
            r"yaml:4: manifest has no option 'rot'; did you mean 'root'\?",
        ),
        ("out: o\nkmean: {}\n", r"yaml:2: unknown key 'kmean'; a recipe has out, preset, manifest, kmeans, units"),
        ("out: o\nmanifest: {corpus: tsv}\n", r"yaml: manifest tsv: the following arguments are required: --root"),
        ("out: o\nmanifest: {root: x}\n", r"yaml: manifest: corpus must be one of .*tsv, .*, found nothing"),
        ("out: o\nmanifest: {corpus: tsf, root: x}\n", r"corpus must be one of .*tsv, .*, found tsf"),
        ("out: o\nmanifest: m\nkmeans: {extractor: mfcc, clusters: many}\n", r"--clusters: invalid int value: 'many'"),
        ("out: o\nmanifest: m\nkmeans: {extractor: mfcc, out: x}\n", r"yaml:3: kmeans has no option 'out'"),
        ("out: o\nmanifest: m\nunits: u\nkmeans: {extractor: mfcc}\n", r"finished units, so no k-means is made"),
        ("out: o\nmanifest: [a]\n", r"yaml:2: manifest: expected lines of the form `option: value`"),
        ("out: o\nbinarize: b\n", r"yaml:2: binarize: expected lines of the form"),
        ("out: o\nkmeans:\n  seed: 1\n  seed: 2\n", r"'seed' stands twice, once in line 3"),
        ("out: o\nkmeans: {seed: {a: b}}\n", r"yaml:2: expected a value or a list of values"),
        ("kmeans: {}\n", r"expected a line `out: FOLDER`, found none"),
        ("out: [\n", r"recipe\.yaml: not valid YAML"),
        ("", r"recipe\.yaml: is empty"),
        ("- out\n", r"recipe\.yaml: expected lines of the form"),
    ],
)
def test_errors_name_the_line_and_what_was_expected(tmp_path: Path, text: str, message: str):
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=message):
        list(plan_steps(read_recipe(tmp_path / "recipe.yaml")))


def test_settings_must_name_a_stage_and_an_option(tmp_path: Path):
    path = tmp_path / "recipe.yaml"
    path.write_text("out: o\nmanifest: m\n", encoding="utf-8")
    for setting in ("repeat=3", "binarize.repeat", "binarise.repeat=3", "binarize.=3"):
        with pytest.raises(RecipeError, match=rf"--set {setting}: expected SECTION\.OPTION=VALUE"):
            read_recipe(path, settings=[setting])
    with pytest.raises(RecipeError, match="gives a finished output for manifest"):
        read_recipe(path, settings=["manifest.root=x"])
    with pytest.raises(RecipeError, match=r"--set kmeans\.sed=1: kmeans has no option 'sed'; did you mean 'seed'"):
        list(plan_steps(read_recipe(path, settings=["kmeans.sed=1"])))
    with pytest.raises(RecipeError, match=r"none\.yaml: cannot be read"):
        read_recipe(tmp_path / "none.yaml")


def test_a_stage_that_would_replace_what_it_reads_is_refused_before_the_first(tmp_path: Path, capsys):
    (tmp_path / "out/kmeans").mkdir(parents=True)
    (tmp_path / "out/kmeans/train.tsv").touch()
    text = "out: out\nmanifest: ../raw\nkmeans: {extractor: out/kmeans, layer: 1}\n"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    assert main(["run", str(tmp_path / "recipe.yaml")]) == 1
    error = capsys.readouterr().err
    assert f"--out {tmp_path}/out/kmeans: would replace {tmp_path}/out/kmeans, which is read; name another" in error
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["kmeans"]
