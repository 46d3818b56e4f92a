"""The stage `manifest` called from Python, and each corpus from a recipe."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocess.corpora import CORPORA, FetchedCorpus, import_corpus
from preprocess.corpora.covost2 import CovostOptions
from preprocess.corpora.libreoffice_help import LibreOfficeHelpOptions
from preprocess.corpora.prompts import PromptsOptions
from preprocess.corpora.rows.filters import FilterOptions
from preprocess.corpora.tsv import TsvOptions
from preprocess.errors import AudioError, ManifestError, OutputError, PreprocessError
from preprocess.files.cards.stage_cards import ManifestCard, ManifestCounts, ManifestFilters
from preprocess.files.faults import FaultOptions, read_faults
from preprocess.files.lock import locked
from preprocess.files.manifest import read_manifest
from preprocess.recipe.file import read_recipe
from preprocess.stages import manifest as stage
from preprocess.stages.manifest import ManifestOptions, make_manifests
from preprocess.stages.run import plan_steps

ENGLISH_TO_FRENCH = TsvOptions(src_lang="en", tgt_lang="fr")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three files of a good row of half a second, one of three seconds, and one of 20 ms."""
    (tmp_path / "raw").mkdir()
    for name, seconds in (("good", 0.5), ("long", 3.0), ("short", 0.02)):
        soundfile.write(tmp_path / "raw" / f"{name}.wav", np.zeros(round(16_000 * seconds)), 16_000)
    rows = ["id\taudio\tsrc_text\ttgt_text", *(f"{name}\t{name}.wav\tx\ty" for name in ("good", "long", "short"))]
    for split in ("train", "dev", "test"):
        (tmp_path / "raw" / f"{split}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path / "raw"


def test_a_call_from_python_writes_the_folder_and_returns_its_card(root: Path, tmp_path: Path):
    options = ManifestOptions(
        corpus="tsv",
        out=tmp_path / "out",
        corpus_options=ENGLISH_TO_FRENCH,
        filters=FilterOptions(max_seconds=2.0),
        faults=FaultOptions("skip", 0.5),
    )
    card = make_manifests(root, options)
    assert card == ManifestCard.read(tmp_path / "out")
    assert card.corpus == "tsv"
    assert card.counts["train"] == ManifestCounts(rows=1, with_audio=1, with_transcript=1, seconds=0.5)
    assert card.counts["dev"] == ManifestCounts(rows=2, with_audio=2, with_transcript=2, seconds=3.5)
    assert card.filters == ManifestFilters(None, 2.0, None)
    assert card.filtered == {"train": {"longer than 2 s": 1}, "dev": {}, "test": {}}
    assert card.errors == {"train": 1, "dev": 1, "test": 1}
    assert [row.id for row in read_manifest(tmp_path / "out/train.tsv")] == ["good"]


def test_names_that_may_be_one_language_are_logged_with_their_rows(root: Path, tmp_path: Path, caplog):
    rows = [f"{name}\tgood.wav\tx\ty\t{language}" for name, language in (("one", "fr"), ("two", "fr-FR"))]
    (root / "dev.tsv").write_text("\n".join(["id\taudio\tsrc_text\ttgt_text\ttgt_lang", *rows, ""]), encoding="utf-8")
    make_manifests(root, ManifestOptions("tsv", tmp_path / "out", ENGLISH_TO_FRENCH, faults=FaultOptions("skip", 0.5)))
    expected = f"{root}/dev.tsv:3: tgt_lang is 'fr-FR' here and 'fr' in {root}/train.tsv:2, which are two languages"
    assert caplog.text.count(expected) == 1


def test_a_fault_has_its_places_once_and_is_listed_without_them(root: Path, tmp_path: Path):
    with pytest.raises(AudioError) as caught:
        make_manifests(root / "train.tsv", ManifestOptions("tsv", tmp_path / "out", ENGLISH_TO_FRENCH))
    error = caught.value
    assert error.places == (f"{root}/train.tsv:4", "utterance 'short'", f"{root}/short.wav")
    assert (error.found, error.advice) == ("too short: 20.0 ms, expected at least 25 ms", "leave the row out")
    options = ManifestOptions("tsv", tmp_path / "out", ENGLISH_TO_FRENCH, faults=FaultOptions("skip", 0.5))
    make_manifests(root, options)
    listed = read_faults(tmp_path / "out.errors.tsv")[0]
    assert (listed.id, listed.location) == ("short", f"{root}/train.tsv:4")
    assert listed.reason == f"{root}/short.wav: too short: 20.0 ms, expected at least 25 ms; leave the row out"


def test_too_many_faults_are_listed_even_where_the_stage_fails(root: Path, tmp_path: Path):
    options = ManifestOptions("tsv", tmp_path / "out", ENGLISH_TO_FRENCH, faults=FaultOptions("skip", 0.1))
    with pytest.raises(PreprocessError, match=r"3 of 9 cannot be used .* more than --max-errors 0.1 allows"):
        make_manifests(root, options)
    assert [fault.id for fault in read_faults(tmp_path / "out.errors.tsv")] == ["short"] * 3
    assert not (tmp_path / "out").exists()


def test_an_output_that_another_run_makes_is_left_to_it(root: Path, tmp_path: Path):
    with locked(tmp_path / "out"), pytest.raises(OutputError, match="is being made by"):
        make_manifests(root, ManifestOptions("tsv", tmp_path / "out", ENGLISH_TO_FRENCH))
    assert not (tmp_path / "out").exists()


def test_a_corpus_that_is_not_known_and_options_of_another_are_refused(tmp_path: Path):
    with pytest.raises(PreprocessError, match="corpus must be one of tsv, must_c, .*, got 'librispeech'"):
        ManifestOptions("librispeech", tmp_path, ENGLISH_TO_FRENCH)
    with pytest.raises(PreprocessError, match="options of the corpus tsv must be TsvOptions, got CovostOptions"):
        ManifestOptions("tsv", tmp_path, CovostOptions("fr", ("en",)))


def test_languages_that_a_corpus_lacks_are_refused():
    with pytest.raises(PreprocessError, match="--tgt-lang must be one of fr, es, got 'de'"):
        PromptsOptions("de")
    with pytest.raises(PreprocessError, match="--tgt-lang must be of de, es, fr, got 'en'"):
        LibreOfficeHelpOptions(("de", "en"))


def test_corpora_that_make_their_own_root_have_an_option_for_it():
    fetched = [name for name in CORPORA if isinstance(import_corpus(name), FetchedCorpus)]
    assert fetched == ["fish_fillets", "libreoffice_help"]
    with_option = [name for name in CORPORA if "fetch" in import_corpus(name).OPTIONS.__dataclass_fields__]
    assert with_option == fetched


NEEDED = {
    "tsv": "",
    "must_c": "tgt-lang: [de, fr]",
    "covost2": "src-lang: sv-SE, tgt-lang: [en]",
    "mtedx": "src-lang: es, tgt-lang: [en, fr]",
    "fish_fillets": "src-lang: [cs, nl], tgt-lang: en, fetch: true",
    "libreoffice_help": "tgt-lang: [de], fetch: true, workers: 2",
    "prompts": "tgt-lang: fr",
}


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_recipe_gives_the_options_of_every_corpus(corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls: list[tuple[Path, ManifestOptions]] = []
    monkeypatch.setattr(stage, "make_manifests", lambda root, options: calls.append((root, options)))
    section = f"corpus: {corpus}, root: raw, {NEEDED[corpus]}{', ' * bool(NEEDED[corpus])}max-seconds: 20"
    (tmp_path / "recipe.yaml").write_text(f"out: data\nmanifest: {{{section}}}\n", encoding="utf-8")
    step = next(plan_steps(read_recipe(tmp_path / "recipe.yaml")))
    step.run_stage()
    [(root, options)] = calls
    assert (step.name, root, options.out) == ("manifest", tmp_path / "raw", tmp_path / "data/manifest")
    assert (options.corpus, options.filters) == (corpus, FilterOptions(max_seconds=20.0))
    assert type(options.corpus_options) is import_corpus(corpus).OPTIONS
    assert getattr(options.corpus_options, "fetch", False) is ("fetch" in NEEDED[corpus])


def test_a_split_without_a_row_is_named_and_the_others_are_made(root: Path, tmp_path: Path, caplog):
    (root / "dev.tsv").write_text("id\taudio\tsrc_text\ttgt_text\nshort\tshort.wav\tx\ty\n", encoding="utf-8")
    options = ManifestOptions("tsv", tmp_path / "out", ENGLISH_TO_FRENCH, faults=FaultOptions("skip", 1.0))
    card = make_manifests(root, options)
    assert list(card.counts) == ["train", "test"]
    assert "dev cannot be made and is left out: none of its 1 rows is left: none was filtered, 1 at" in caplog.text
    with pytest.raises(ManifestError, match="^train: none of its 3 rows is left: 3 shorter than 9 s, 0 at fault"):
        make_manifests(root / "train.tsv", replace(options, filters=FilterOptions(min_seconds=9.0)))


def test_faults_of_all_splits_are_told_in_one_run(root: Path, tmp_path: Path):
    with open(root / "dev.tsv", "a", encoding="utf-8") as file:
        file.write("one\tfield\n")
    with pytest.raises(PreprocessError) as caught:
        make_manifests(root, ManifestOptions("tsv", tmp_path / "out", ENGLISH_TO_FRENCH))
    told = str(caught.value)
    assert told.startswith(f"4 items cannot be used ({tmp_path}/out.errors.tsv lists all of them):\n")
    for location in ("train.tsv:4", "dev.tsv:4", "dev.tsv:5", "test.tsv:4"):
        assert f"  {root}/{location}: " in told
    assert len(read_faults(tmp_path / "out.errors.tsv")) == 4
    assert not (tmp_path / "out").exists()
