"""Statements of README, CONTRIBUTING and docs that can be compared with the code."""

import configparser
import dataclasses
import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from doc_pages import table_below, text_of
from toy import REPOSITORY, batch_of, build_criterion, build_model, task_with_twins

from preprocess.recipe.presets import PRESETS

DOCS = REPOSITORY / "docs"
FAMILIES = ("hmst_aed", "hmst_ctc", "hmst_ctc_attention", "hmst_transducer")


def code_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def load_test_imports() -> ModuleType:
    spec = importlib.util.spec_from_file_location("test_imports", REPOSITORY / "tests" / "test_imports.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_arrows_are_those_of_the_test_of_imports():
    found: dict[str, dict[str, set[str]]] = {"preprocess": {}, "fairseq_hmst": {}}
    for folders, targets in table_below(REPOSITORY / "CONTRIBUTING.md", "Who may import whom"):
        for name in code_in(folders):
            package, _, folder = name.partition(".")
            found[package][folder] = set(code_in(targets))
    arrows = load_test_imports().ARROWS
    expected = {
        package: {
            folder: {name for name in targets if not name.endswith("__init__")}
            for folder, targets in table.items()
            if not folder.startswith("_") and folder != "errors"
        }
        for package, table in arrows.items()
    }
    assert found == expected


def test_every_folder_is_in_the_table_of_the_architecture():
    named = {name.strip("/") for row in rows_of_architecture() for name in code_in(row)}
    for package in ("preprocess", "fairseq_hmst"):
        folders = {path.parent.name for path in (REPOSITORY / package).glob("*/__init__.py")}
        assert folders - named == set()


def rows_of_architecture() -> list[str]:
    section = text_of(DOCS / "architecture.md").partition("## Where to find what\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


def test_all_cards_are_in_the_table_of_the_architecture():
    from fairseq_hmst.model_folder import card  # noqa: F401
    from preprocess.files.cards.card import Card
    from preprocess.files.cards.data_bin_card import DataBinCard  # noqa: F401
    from preprocess.stages import inspect  # noqa: F401

    named = [code_in(cells[0])[0] for cells in table_below(DOCS / "architecture.md", "Cards")]
    assert sorted(named) == sorted(kind.__name__ for kind in Card.__subclasses__())


def test_the_limits_of_audio_are_those_of_the_reader():
    from preprocess.speech.audio import END_TOLERANCE_SECONDS, MAX_SECONDS, MIN_SECONDS, SAMPLE_RATE

    text = text_of(DOCS / "data.md").partition("## Audio\n")[2].partition("\n## ")[0]
    assert f"to {SAMPLE_RATE // 1000} kHz" in text
    assert f"longer than {MAX_SECONDS:g} s" in text
    assert f"shorter than {1000 * MIN_SECONDS:g} ms" in text
    assert f"up to {1000 * END_TOLERANCE_SECONDS:g} ms after its file" in text


def test_columns_of_the_manifest_are_those_of_the_reader():
    from preprocess.files.manifest import MANIFEST_COLUMNS

    rows = table_below(DOCS / "data.md", "The manifest")
    assert [name for cells in rows for name in code_in(cells[0])] == list(MANIFEST_COLUMNS)


def test_corpora_are_those_that_there_are():
    from preprocess.corpora import CORPORA

    assert [code_in(cells[0])[0] for cells in table_below(DOCS / "data.md", "Known corpora")] == list(CORPORA)


def test_sizes_are_those_of_the_registered_architectures():
    from fairseq_hmst.models.architectures import SIZES

    rows = {cells[0]: cells[1:] for cells in table_below(DOCS / "training.md", "Sizes")}
    for column, size in enumerate(("tiny", "base")):
        plain, hierarchical = SIZES["hmst_aed"][size], SIZES["hmst_ctc_attention"][size]
        transducer = SIZES["hmst_transducer"][size]
        widths = [plain[name] for name in ("embed_dim", "ffn_embed_dim", "attention_heads")]
        assert numbers(rows["width, feed-forward, heads"][column]) == widths
        layers = list(dict.fromkeys([plain["encoder_layers"], hierarchical["encoder_layers"]]))
        assert numbers(rows["encoder layers"][column]) == layers
        assert numbers(rows["decoder layers (AED, CTC/attention)"][column]) == [plain["decoder_layers"]]
        assert numbers(rows["source CTC after layer (all but AED)"][column]) == [hierarchical["source_ctc_layer"]]
        joiner = [transducer.get("predictor_dim", 512), transducer.get("joint_dim", 640)]
        assert numbers(rows["prediction network, joiner (transducer)"][column]) == joiner
        assert "source_ctc_layer" not in plain


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


@pytest.mark.parametrize(
    ("page", "heading"), [(REPOSITORY / "README.md", "Model families"), (DOCS / "training.md", "Families")]
)
def test_families_decode_by_what_the_pages_say(page: Path, heading: str, toy_task):
    tables = {code_in(cells[0])[0]: code_in(cells[-1]) for cells in table_below(page, heading)}
    assert set(tables) == set(FAMILIES)
    for family, decodings in tables.items():
        model = build_model(toy_task, f"{family}_tiny", encoder_layers=2, source_ctc_layer=0, embed_dim=16)
        assert list(model.decodings) == decodings


def test_the_environment_has_the_python_that_the_workflow_and_the_metadata_name():
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    versions = job["strategy"]["matrix"]["python"]
    assert any(step.get("run") == ".ci/run" for step in job["steps"])
    metadata = configparser.ConfigParser()
    metadata.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    classifiers = metadata["metadata"]["classifiers"]
    assert re.findall(r"Python :: (3\.\d+)", classifiers) == versions
    assert f"Python {' or '.join(versions)}" in text_of(REPOSITORY / "README.md")


def test_the_front_page_and_the_measurements_have_the_same_figures():
    ours = {cells[0]: cells for cells in table_below(REPOSITORY / "README.md", "Results")}
    for cells in table_below(DOCS / "measurements.md", "Four families"):
        announcements, whole, text = cells[1].split(" / ")[0], cells[2].split(" / ")[0], cells[3]
        assert ours[cells[0]] == (cells[0], announcements, text, whole)


def test_losses_are_logged_by_the_names_that_the_page_explains(toy_data_bin: Path):
    task = task_with_twins(toy_data_bin)
    batch = batch_of(task, range(4), split="train")
    logged = {"loss"}
    for family in ("hmst_ctc_attention", "hmst_transducer"):
        model = build_model(task, f"{family}_tiny", encoder_layers=2, source_ctc_layer=1, embed_dim=16).train()
        views = {"rdrop_weight": 1.0, "consistency_weight": 1.0} if family == "hmst_ctc_attention" else {}
        logged |= build_criterion(task, **views)(model, batch)[2].keys()
    rows = table_below(DOCS / "training.md", "Losses")
    names = {name for cells in rows for name in code_in(cells[0])}
    scores = {"bleu", "bleu_bp", "bleu_ratio", "chrf"}
    of_text = {f"mt_{score}" for score in scores} | {"bleu_de", "mt_bleu_de"}
    of_validation = {"st_accuracy", "st_source_wer", "mt_source_wer", *scores, *of_text}
    assert names - logged == {"memory_gb", *of_validation}


def test_functions_and_classes_that_the_page_of_python_names_are_there():
    for heading in ("A whole pipeline", "Losses"):
        for cells in table_below(DOCS / "python.md", heading):
            (name,) = [name for cell in cells[:2] for name in code_in(cell) if re.fullmatch(r"\w+(\.\w+)+", name)]
            module = importlib.import_module(name)
            functions = [code.partition("(")[0] for cell in cells[:2] for code in code_in(cell) if code != name]
            assert [function for function in functions if not callable(getattr(module, function, None))] == []


def test_options_that_the_page_of_python_names_are_fields():
    for call, module, options, _ in table_below(DOCS / "python.md", "A whole pipeline"):
        for code in code_in(options):
            if match := re.fullmatch(r"(\w+)\((.*)\)", code):
                kind = getattr(importlib.import_module(code_in(module)[0]), match[1])
                assert [field.name for field in dataclasses.fields(kind)] == match[2].split(", "), call


def test_the_table_of_presets_is_that_of_the_code():
    text = text_of(DOCS / "recipes.md").partition("<!-- presets -->\n")[2].partition("\n\n")[0]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    names = [code_in(cell)[0] for cell in header[1:]]
    assert names == list(PRESETS)
    written: dict[str, dict[str, dict[str, str]]] = {name: {} for name in names}
    for cell, *values in rows:
        for option in code_in(cell):
            section, _, name = option.partition(".")
            for preset, value in zip(names, values, strict=True):
                if value != "its default":
                    written[preset].setdefault(section, {})[name] = value.strip("`")
    assert written == PRESETS
