"""Files that were cut, changed or made by others, in what commands read: one line that names the file, or no change.

Where nothing says what a file held (a text that a person writes, weights of others), it may be read as another one.
"""

import io
import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from damage import damaged, damaged_json
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prompt_models import random_checkpoint
from text_model_cases import text_model_case

from fairseq_hmst.average import average_checkpoints
from fairseq_hmst.command.check.folder_check import check_checkpoint
from fairseq_hmst.command.run.road_recipe import read_road_recipe
from fairseq_hmst.data.data_bin import DataBin
from fairseq_hmst.data.stream_rows import load_stream
from fairseq_hmst.model_folder.card import ModelConfig, ModelEntry
from fairseq_hmst.model_folder.generation import GenerationOptions
from fairseq_hmst.model_folder.json_files import read_object
from fairseq_hmst.models.pretrained import PretrainedModel
from fairseq_hmst.text_start.start import read_text_model
from preprocess.errors import UserError
from preprocess.files.manifest import read_manifest
from preprocess.files.origin import read_origins
from preprocess.files.reading.archive import read_array
from preprocess.files.reading.sentencepiece_model import read_sentencepiece
from preprocess.files.units import read_units
from preprocess.speech.extractors.huggingface import _load_configs
from preprocess.speech.extractors.limits import read_limits

RECIPE = """\
out: out
preset: small
manifest: {corpus: tsv, root: corpus, src-lang: en}
kmeans: {extractor: mfcc, clusters: 16}
subwords:
  unit-vocab: 40
  source-vocab: 60
train: {arch: hmst_ctc_tiny, max-update: 200}
decode: {split: [test, test_b], beam: 5}
"""
ENTRY = ModelEntry("model.safetensors", {"_name": "hmst_ctc"})


@dataclass(frozen=True)
class Case:
    """A file that something reads.

    Attributes:
        read: gives what was read, to be compared.
        may_differ: nothing says what the file held.
    """

    path: Path
    read: Callable[[], object]
    may_differ: bool = False
    examples: int = 60


def replace(path: Path, content: bytes) -> None:
    """Not in place: what is mapped into memory stays."""
    path.unlink()
    path.write_bytes(content)


def equal(first: object, second: object) -> bool:
    if isinstance(first, torch.Tensor | np.ndarray):
        return type(first) is type(second) and first.shape == second.shape and bool((first == second).all())
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    return first == second


def check(case: Case, content: bytes, good: object) -> str:
    """What came of a damaged file: "refused" or "same", or, where that may be, "other"."""
    whole = case.path.read_bytes()
    replace(case.path, content)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            found = case.read()
    except UserError as error:
        assert "\n" not in str(error) or case.path.suffix == ".tsv", error  # of a manifest, a line a row
        assert case.path.name in str(error) or str(case.path.parent) in str(error), error
        return "refused"
    finally:
        replace(case.path, whole)
    if equal(found, good):
        return "same"
    assert case.may_differ, f"{case.path.name} was read as another one in silence"
    return "other"


@pytest.fixture(scope="module")
def cases(prompt_data_bin: Path, toy_data_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    folder = tmp_path_factory.mktemp("damaged")
    checkpoint = Path(random_checkpoint(folder / "random.pt", prompt_data_bin))
    data_bin = Path(shutil.copytree(toy_data_bin, folder / "data-bin"))

    def stream() -> object:
        rows = load_stream(DataBin(data_bin), "test", "st")
        return [[row.tolist() for row in side] for side in (rows.sources, rows.targets)]

    np.savez(folder / "centroids.npz", centroids=np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32))
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "some.json").write_text(json.dumps({"a": [1, 2.5], "b": {"c": "x"}}))
    (folder / "u.units").write_text("a\t1 2 3\nb\t4 5\n")
    shutil.copyfile(toy_data_bin.parent / "manifest/test.tsv", folder / "m.tsv")
    mbart = text_model_case("mbart-50", keep_all_pieces=False, targets=("fr",))
    model = Path(shutil.copytree(mbart.folder, folder / "mbart"))
    pretrained = Path(shutil.copyfile(mbart.file, folder / "mbart.pt"))
    mbart_data = DataBin(mbart.data_bin)

    def text_model() -> object:
        found = read_text_model(str(model), mbart_data, trust_pickle=False)
        return found.rows, found.architecture

    transformers.WavLMConfig(hidden_size=32, num_hidden_layers=2).save_pretrained(folder / "wavlm")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder / "wavlm")
    transformers.WhisperConfig(d_model=32).save_pretrained(folder / "whisper")
    transformers.WhisperFeatureExtractor().save_pretrained(folder / "whisper")
    ModelConfig((ENTRY,), GenerationOptions(beam=3, lenpen=0.5)).write(folder)

    def encoder() -> object:
        return [str(config) for config in _load_configs(folder / "wavlm")]

    return {
        "text model's config": Case(model / "config.json", text_model, may_differ=True, examples=15),
        "text model's pieces": Case(model / "sentencepiece.bpe.model", text_model, examples=8),
        "text model's weights": Case(model / "model.safetensors", text_model, may_differ=True, examples=8),
        "start of a training": Case(pretrained, lambda: PretrainedModel.read(pretrained).state, examples=25),
        "encoder's config": Case(folder / "wavlm/config.json", encoder, may_differ=True),
        "encoder's preparation": Case(folder / "wavlm/preprocessor_config.json", encoder, may_differ=True),
        "encoder's limits": Case(
            folder / "whisper/preprocessor_config.json", lambda: read_limits(str(folder / "whisper")), may_differ=True
        ),
        "model folder's config": Case(folder / "config.json", lambda: ModelConfig.read(folder), may_differ=True),
        "checkpoint": Case(checkpoint, lambda: average_checkpoints([checkpoint])["model"], examples=30),
        "checked checkpoint": Case(
            checkpoint, lambda: [raising(fault) for fault in check_checkpoint(checkpoint)], examples=20
        ),
        "centroids": Case(folder / "centroids.npz", lambda: read_array(folder / "centroids.npz", "centroids", (6, 4))),
        "idx": Case(data_bin / "test.st.src.idx", stream),
        "bin": Case(data_bin / "test.st.src.bin", stream),
        "subwords": Case(
            data_bin / "subwords/target.model",
            lambda: pieces(read_sentencepiece(data_bin / "subwords/target.model")),
            may_differ=True,
        ),
        "recipe": Case(folder / "recipe.yaml", lambda: str(read_road_recipe(folder / "recipe.yaml")), may_differ=True),
        "object": Case(folder / "some.json", lambda: read_object(folder / "some.json"), may_differ=True),
        "units": Case(folder / "u.units", lambda: list(read_units(folder / "u.units")), may_differ=True),
        "manifest": Case(
            folder / "m.tsv", lambda: str(list(read_manifest(folder / "m.tsv", check_audio=False))), may_differ=True
        ),
        "origin": Case(
            data_bin / "test.st.origin.tsv", lambda: list(read_origins(data_bin / "test.st.origin.tsv")), True
        ),
    }


def raising(fault: UserError) -> None:
    raise fault


def pieces(model) -> list[str]:
    model.encode("chat chien rouge", out_type=str)
    return [model.id_to_piece(index) for index in range(len(model))]


JSON_FILES = [
    "text model's config",
    "encoder's config",
    "encoder's preparation",
    "encoder's limits",
    "model folder's config",
    "object",
]
OTHER_FILES = [
    *("checkpoint", "checked checkpoint", "start of a training", "centroids", "idx", "bin", "subwords", "recipe"),
    *("units", "manifest", "origin", "text model's pieces", "text model's weights"),
]


@pytest.mark.parametrize("name", OTHER_FILES)
def test_damage_is_named_or_changes_nothing(name: str, cases: dict[str, Case]):
    attack(cases[name], damaged(cases[name].path.read_bytes()))


@pytest.mark.parametrize("name", JSON_FILES)
def test_json_of_another_form_is_named_or_changes_nothing_that_is_known(name: str, cases: dict[str, Case]):
    content = cases[name].path.read_bytes()
    attack(cases[name], damaged(content) | damaged_json(content))


def attack(case: Case, contents: st.SearchStrategy[bytes]) -> None:
    seen, good = set(), case.read()

    @settings(derandomize=True, max_examples=case.examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(contents)
    def check_each(content: bytes) -> None:
        seen.add(check(case, content, good))

    check_each()
    assert "refused" in seen
