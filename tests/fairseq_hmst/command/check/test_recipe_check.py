"""`hmst check RECIPE.yaml`: all faults in one list, each with its place; none where there is none."""

import shutil
from pathlib import Path

import pytest
from checked_recipes import WHOLE, Found
from recipe_corpus import RECIPE

from fairseq_hmst.command.check.command import main
from fairseq_hmst.command.check.errors import CheckError
from fairseq_hmst.command.check.recipe_check import check_before_work


def test_a_recipe_without_faults_has_none_and_nothing_is_written(faults: Found, tmp_path: Path, capsys):
    assert faults(WHOLE) == []
    assert main([str(tmp_path / "recipe.yaml")]) == 0
    assert "no faults; checked: sections, options, files, rows, vocabularies, disk" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_faults_of_all_sections_are_in_one_list_with_their_lines(faults: Found):
    recipe = """\
out: out
manifest: {corpus: tsv, root: corpus, src-lang: en, tgt-lang: fr}
kmean: {}
kmeans: {extractor: mfcc, cluster: 6}
subwords: {unit-vocab: 8, source-vocab: 13, target-vocab: many}
binarize: {repeat: 0, mt-text: [mt.en, none.fr]}
train:
  arch: hmst_aed_tiny
  max-update: 2.5
  encoder-layer: 3
decode: {bem: 5}
export:
  lenpn: 1
"""
    found = faults(recipe)
    for place, words in (
        ("recipe.yaml:3", "unknown key 'kmean'"),
        ("recipe.yaml:4", "kmeans has no option 'cluster'; did you mean 'clusters'?"),
        ("recipe.yaml:5: subwords", "argument --target-vocab: invalid int value: 'many'"),
        ("recipe.yaml:6: --repeat", "--repeat must be at least 1, got 0"),
        ("recipe.yaml:9", "train: argument --max-update: invalid int value: '2.5'"),
        ("recipe.yaml:10", "train has no option 'encoder-layer'; did you mean 'encoder-layers'?"),
        ("recipe.yaml:11", "decode has no option 'bem'; did you mean 'beam'?"),
        ("recipe.yaml:13", "export has no option 'lenpn'; did you mean 'lenpen'?"),
    ):
        assert sum(fault.startswith(place) and words in fault for fault in found) == 1, (words, found)


def test_files_and_folders_that_are_not_there_are_named_with_the_line_that_names_them(faults: Found):
    recipe = WHOLE.replace("root: corpus", "root: corpora").replace("mt.fr", "mt.es").replace("mfcc", "./wavlm")
    assert [fault for fault in faults(recipe) if "exist" in fault or "folder" in fault] == [
        "recipe.yaml:4: manifest: root does not exist: corpora",
        "recipe.yaml:7: kmeans: extractor is no folder: ./wavlm",
        "recipe.yaml:11: binarize: mt-text does not exist: mt.es",
    ]


def test_a_finished_output_that_is_changed_or_missing_is_a_fault(faults: Found):
    (fault,) = faults(WHOLE.replace("kmeans: {extractor: mfcc, clusters: 6, portion: 1.0}", "kmeans: ../kmeans"))
    assert "kmeans: there is no folder" in fault
    (fault,) = faults(WHOLE.replace("kmeans: {extractor: mfcc, clusters: 6, portion: 1.0}", "kmeans: corpus"))
    assert "is not a finished output of the stage 'kmeans': it has no card.json" in fault


def test_checkpoints_that_do_not_fit_on_the_disk_are_told(faults: Found, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(0, 0, 1000))
    (fault,) = faults(WHOLE)
    assert "checkpoints need about 0.2 GB, but only 0.0 GB are free" in fault


def test_a_recipe_without_architecture_or_preset_says_what_to_write(faults: Found):
    found = faults(RECIPE)
    assert [fault.partition(";")[0] for fault in found] == [
        "recipe.yaml: train has no arch",
        "recipe.yaml: train has no max-update",
    ]
    assert "`preset: small`" in found[0]
    assert "preset must be one of small, medium, large, found 'tiny'" in faults(f"preset: tiny\n{RECIPE}")[0]


def test_a_gpu_that_is_not_there_is_told(faults: Found, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    (fault,) = faults(WHOLE.replace("extractor: mfcc,", "extractor: mfcc, device: cuda,"))
    assert fault.startswith("recipe.yaml:7: kmeans: device cuda cannot be used here: torch finds no GPU")


def test_the_road_does_not_begin_with_faults(corpus: Path, tmp_path: Path):
    (tmp_path / "recipe.yaml").write_text(f"{RECIPE}\ntrain: {{arch: hmst_aed_tiny, max-updat: 2}}\n", encoding="utf-8")
    with pytest.raises(CheckError, match="faults, nothing was begun:\n  .*max-updat"):
        check_before_work(tmp_path / "recipe.yaml")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("out: out", "out: mt.en", "recipe.yaml: out is not a folder: mt.en"),
        ("mt.en, mt.fr", "mt.en, corpus", "recipe.yaml:11: binarize: mt-text is a folder, not a file: corpus"),
        ("src-lang: en", "src-lang: FR", "corpus/train.tsv:2: src_lang 'FR' and tgt_lang 'fr' are one language"),
    ],
)
def test_a_fault_of_files_or_languages_is_one_line_with_its_place(faults: Found, before: str, after: str, message: str):
    assert before in WHOLE
    (fault,) = faults(WHOLE.replace(before, after))
    assert fault.startswith(message)
