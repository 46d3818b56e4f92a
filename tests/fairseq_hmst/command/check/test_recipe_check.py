"""`hmst check RECIPE.yaml`: all faults in one list, each with its place; none where there is none."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from recipe_corpus import RECIPE, write_corpus

from fairseq_hmst.command.check.command import main
from fairseq_hmst.command.check.errors import CheckError
from fairseq_hmst.command.check.recipe_check import check_before_work, check_recipe
from preprocess.__main__ import main as preprocess

WHOLE = f"""{RECIPE}
train: {{arch: hmst_aed_tiny, max-update: 2}}
decode: {{beam: 2}}
export: {{lenpen: 1.5}}
"""

Found = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("check")
    write_corpus(folder / "corpus")
    for language in ("en", "fr"):
        (folder / f"mt.{language}").write_text("on the cat\n", encoding="utf-8")
    return folder


@pytest.fixture
def faults(corpus: Path, tmp_path: Path) -> Found:
    """Writes a recipe beside a copy of the corpus, checks it, and gives the faults without the folder's name."""
    shutil.copytree(corpus, tmp_path, dirs_exist_ok=True)

    def find(recipe: str) -> list[str]:
        (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
        return [str(fault).replace(f"{tmp_path}/", "") for fault in check_recipe(tmp_path / "recipe.yaml").faults]

    return find


def test_a_recipe_without_faults_has_none_and_nothing_is_written(faults: Found, tmp_path: Path, capsys):
    assert faults(WHOLE) == []
    assert main([str(tmp_path / "recipe.yaml")]) == 0
    assert "no faults; checked: sections, options, files, rows, vocabularies, disk" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [
        "bleu-tokenizer: 13a",  # of --eval-bleu, which the road gives
        "criterion: label_smoothed_cross_entropy",
        "rdrop-weight: 1, speech-mask-share: 0.1",
        "sample-pieces: 'units,source', source-ctc-layer: 1, streams: st",
        "criterion: cross_entropy",
        "join-share: 0",
    ],
)
def test_options_that_fit_each_other_are_no_faults(faults: Found, options: str):
    assert faults(WHOLE.replace("max-update: 2", f"max-update: 2, {options}")) == []


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


def test_all_rows_at_fault_are_named_at_once(faults: Found, tmp_path: Path):
    (tmp_path / "corpus" / "audio" / "train3.wav").unlink()
    (tmp_path / "corpus" / "audio" / "dev0.wav").write_bytes(b"no sound")
    found = faults(WHOLE)
    assert [fault.partition(": ")[0] for fault in found] == ["corpus/train.tsv:5", "corpus/dev.tsv:2"]


def test_rows_that_the_recipe_leaves_out_are_no_faults(faults: Found, tmp_path: Path):
    (tmp_path / "corpus" / "audio" / "train3.wav").unlink()
    assert faults(WHOLE.replace("root: corpus", "root: corpus\n  on-error: skip\n  max-errors: 0.5")) == []


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


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "source-vocab: 13",
            "source-vocab: 300",
            "recipe.yaml:8: subwords: source-vocab, src_text of train: asked for 300 pieces, but",
        ),
        (
            "target-vocab: 13",
            "target-vocab: 3",
            "recipe.yaml:8: subwords: target-vocab, tgt_text of train: asked for 3 pieces, but the",
        ),
        (
            "unit-vocab: 8",
            "unit-vocab: 5",
            "recipe.yaml:8: subwords: unit-vocab: asked for 5 pieces, but each of 6 units must be one",
        ),
    ],
)
def test_vocabularies_that_the_data_does_not_allow_are_named(faults: Found, before: str, after: str, message: str):
    (fault,) = faults(WHOLE.replace(before, after))
    assert fault.startswith(message)


@pytest.mark.parametrize("other", ["EN", "en-US", "en_gb", " en"])
def test_languages_equal_but_for_case_or_region_are_named(faults: Found, tmp_path: Path, other: str):
    path = tmp_path / "corpus" / "dev.tsv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    lines = [f"{header}\tsrc_lang", f"{rows[0]}\t{other}", *(f"{row}\ten" for row in rows[1:])]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = faults(WHOLE)
    (fault,) = found
    assert fault.startswith(f"corpus/dev.tsv:2: src_lang is '{other}' here and 'en' in corpus/train.tsv:2, which are")


@pytest.fixture
def whisper(tmp_path: Path) -> None:
    """What says that an encoder takes 0.4 s at most; the corpus has half seconds."""
    (tmp_path / "whisper").mkdir()
    for name, content in {
        "config": {"model_type": "whisper", "max_source_positions": 20},
        "preprocessor_config": {"hop_length": 160, "n_fft": 400},
    }.items():
        (tmp_path / "whisper" / f"{name}.json").write_text(json.dumps(content))


def test_rows_that_are_too_long_for_the_encoder_are_all_named(faults: Found, whisper: None):
    found = faults(WHOLE.replace("mfcc", "whisper"))
    assert len(found) == 12
    assert found[0].startswith(
        "corpus/train.tsv:2: row 'train0': corpus/audio/train0.wav: too long: 0.5 s, expected at"
    )


def test_rows_too_long_that_the_filter_leaves_out_are_no_faults(faults: Found, whisper: None, tmp_path: Path):
    recipe = WHOLE.replace("mfcc", "whisper").replace("root: corpus", "root: corpus\n  max-seconds: 0.4")
    found = faults(recipe)
    assert not any("train" in fault and "too long" in fault for fault in found)


def test_rows_of_train_that_are_too_long_at_a_speed_are_named_with_it(faults: Found, whisper: None, tmp_path: Path):
    config = tmp_path / "whisper/config.json"
    config.write_text(config.read_text().replace("20", "26"))  # 0.52 s
    assert faults(WHOLE.replace("mfcc", "whisper")) == []
    recipe = WHOLE.replace("mfcc", "whisper").replace("subwords:", "units: {speeds: [0.9, 1, 1.1]}\nsubwords:")
    found = faults(recipe)
    assert len(found) == 8
    assert found[0].startswith("corpus/train.tsv:2: row 'sp0.9-train0': corpus/audio/train0.wav at speed 0.9: too long")
    assert faults(recipe.replace("0.9, 1,", "1,")) == []
    assert faults(recipe.replace("speeds:", "on-error: skip, speeds:")) == []


def test_a_row_that_has_the_name_of_another_at_a_speed_is_a_fault(faults: Found, tmp_path: Path):
    path = tmp_path / "corpus/train.tsv"
    path.write_text(path.read_text().replace("train4\t", "sp1.1-train3\t"))
    assert faults(WHOLE) == []
    (found,) = faults(WHOLE.replace("subwords:", "units: {speeds: [1, 1.1]}\nsubwords:"))
    assert found.startswith("corpus/train.tsv:6: utterance 'sp1.1-train3': the id is also that of utterance 'train3' (")


def test_two_regions_of_a_language_may_be_meant(faults: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for split, language in (("train", "pt-BR"), ("dev", "pt-PT"), ("test", "pt-PT")):
        path = tmp_path / "corpus" / f"{split}.tsv"
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        lines = [f"{header}\ttgt_lang", *(f"{row}\t{language}" for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (warning,) = faults(WHOLE)
    assert warning.startswith("corpus/dev.tsv:2: tgt_lang is 'pt-PT' here and 'pt-BR' in corpus/train.tsv:2")
    assert main([str(tmp_path / "recipe.yaml")]) == 0
    printed = capsys.readouterr()
    assert printed.err.count("warning: ") == 1 and "no faults" in printed.out
    check_before_work(tmp_path / "recipe.yaml")
    assert capsys.readouterr().err.startswith("warning: ")


def test_audio_that_is_gone_since_the_manifests_were_made_is_named(faults: Found, tmp_path: Path):
    made = ["manifest", "tsv", "--root", tmp_path / "corpus", "--src-lang", "en", "--tgt-lang", "fr"]
    assert preprocess([*map(str, made), "--out", str(tmp_path / "m")]) == 0
    (tmp_path / "corpus" / "audio" / "dev1.wav").unlink()
    recipe = re.sub(r"manifest:\n(  .*\n)+", "manifest: m\n", WHOLE)
    (fault,) = faults(recipe)
    assert fault.startswith("m/dev.tsv:3: row 'dev1': audio not found: m/../corpus/audio/dev1.wav; ")


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


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("beam: 2", "stream: [xx]", "recipe.yaml:14: stream must be one of st, mt, got xx"),
        ("beam: 2", "split: tset", "recipe.yaml:14: decode: there is no split tset; there are train, valid, test"),
        ("beam: 2", "gen-subset: valid", "recipe.yaml:14: decode gets its gen-subset from the road"),
        ("beam: 2", "checkpoint: [best]", "recipe.yaml:14: checkpoint must be one value"),
        ("lenpen: 1.5", "out: model", "recipe.yaml:15: export gets its out from the road"),
        ("lenpen: 1.5", "average: true", "recipe.yaml:15: export gets its average from the road"),
        ("lenpen: 1.5", "lenpe: 1.5", "recipe.yaml:15: export has no option 'lenpe'; did you mean 'lenpen'?"),
        ("lenpen: 1.5", "scores: no.json", "recipe.yaml:15: export: scores does not exist: no.json"),
        ("lenpen: 1.5", "help: true", "recipe.yaml:15: export has no option 'help'"),
        (
            "max-update: 2",
            "max-update: 2, cpu: yes",
            "recipe.yaml:13: train: cpu cannot be given yes; write",
        ),
        (
            "max-update: 2",
            "max-update: 2, sample-pieces: 'units, text'",
            "recipe.yaml:13: train: sample-pieces must name some of units, source, target, each once",
        ),
        ("max-update: 2", "max-update: 2, join-share: 2", "recipe.yaml:13: train: join-share must lie in [0, 1), got"),
        ("max-update: 2", "max-update: 2, streams: 'st,text'", "recipe.yaml:13: train: streams must be st,mt or st or"),
        ("max-update: 2", "max-update: 2, mt-passes: -1", "recipe.yaml:13: train: mt-passes must be 0 or more and fi"),
        ("max-update: 2", "max-update: 2, rdrop-weight: -1", "recipe.yaml:13: train: rdrop-weight must be 0 or more"),
        (
            "max-update: 2",
            "max-update: 2, streams: mt, consistency-weight: 1",
            "recipe.yaml:13: train: consistency-weight compares speech with its transcript, and --streams is mt; add",
        ),
        (
            "max-update: 2",
            "max-update: 2, criterion: joint",
            "recipe.yaml:13: criterion must be one of adaptive_loss",
        ),
        (
            "max-update: 2",
            "max-update: 2, criterion: cross_entropy, rdrop-weight: 1",
            "recipe.yaml:13: train has no option 'rdrop-weight'",
        ),
        (
            "max-update: 2",
            "max-update: 2, rdrop-weight: 1, rdrop-ctc-weight: 1",
            "recipe.yaml:13: train: rdrop-ctc-weight 1.0 has no effect: no head that it compares has a loss",
        ),
        (
            "max-update: 2",
            "max-update: 2, criterion: cross_entropy, source-ctc-layer: 1",
            "recipe.yaml:13: train: criterion cross_entropy trains an attention decoder alone, but the model has: sour",
        ),
        (
            "arch: hmst_aed_tiny",
            "rdrop-weight: 1, arch: hmst_transducer_tiny",
            "recipe.yaml:13: train: rdrop-weight compares all that a head predicts, which a transducer never builds",
        ),
        ("max-update: 2", "max-update: 2, ctc-weight: 1", "recipe.yaml:13: train: --ctc-weight given, but the model"),
        (
            "max-update: 2",
            "max-update: 2, sample-pieces: source, streams: st",
            "recipe.yaml:13: train: sample-pieces source has no effect: there is no text, and no head learns transcri",
        ),
        (
            "max-update: 2",
            "max-update: 2, streams: mt, repeat-jitter: normal",
            "recipe.yaml:13: train: repeat-jitter normal measures speech, and the training has none",
        ),
        (
            "max-update: 2",
            "max-update: 2, join-share: 0.1",
            "recipe.yaml:13: train: join-share joins rows of one speaker, but no speaker of train has two sentences; f",
        ),
        ("max-update: 2", "max-update: 2, mask-form: drop", "recipe.yaml:13: train: mask-form drop has no effect"),
        ("max-update: 2", "max-update: 2, init-from: no.pt", "recipe.yaml:13: train: init-from does not exist: no.pt"),
        ("hmst_aed_tiny", "transformer", "recipe.yaml:13: arch must be one of hmst_aed, hmst_aed_base, hmst_aed_tiny"),
        ("max-update: 2", "max-update: 2, save-dir: [a, b]", "recipe.yaml:13: save-dir must be one value"),
        ("out: out", "out: mt.en", "recipe.yaml: out is not a folder: mt.en"),
        ("mt.en, mt.fr", "mt.en, corpus", "recipe.yaml:11: binarize: mt-text is a folder, not a file: corpus"),
        ("src-lang: en", "src-lang: FR", "corpus/train.tsv:2: src_lang 'FR' and tgt_lang 'fr' are one language"),
    ],
)
def test_one_fault_is_one_line_with_its_place(faults: Found, before: str, after: str, message: str):
    assert before in WHOLE
    (fault,) = faults(WHOLE.replace(before, after))
    assert fault.startswith(message)


def test_text_that_is_not_repeated_has_no_jitter(faults: Found):
    recipe = WHOLE.replace("max-update: 2", "max-update: 2, repeat-jitter: fixed")
    assert faults(recipe) == []
    (fault,) = faults(recipe.replace("repeat: 2", "repeat: 1"))
    message = "recipe.yaml:13: train: repeat-jitter fixed needs text that is repeated: repeat of .*recipe.yaml:10 is 1"
    assert re.match(message, fault)


def test_rows_of_a_speaker_with_two_sentences_can_be_joined(faults: Found, tmp_path: Path):
    manifest = tmp_path / "corpus/train.tsv"
    header, *rows = manifest.read_text(encoding="utf-8").splitlines()
    assert "speaker" not in header
    lines = [f"{header}\tspeaker", *(f"{row}\tone" for row in rows)]
    manifest.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert faults(WHOLE.replace("max-update: 2", "max-update: 2, join-share: 0.1")) == []


def test_other_options_are_judged_only_with_an_architecture(faults: Found):
    (fault,) = faults(WHOLE.replace("arch: hmst_aed_tiny,", "embed-dim: 16, keep-best-checkpoints: many,"))
    assert "train has no arch" in fault


def test_a_gpu_that_is_not_there_is_told(faults: Found, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    (fault,) = faults(WHOLE.replace("extractor: mfcc,", "extractor: mfcc, device: cuda,"))
    assert fault.startswith("recipe.yaml:7: kmeans: device cuda cannot be used here: torch finds no GPU")


def test_the_road_does_not_begin_with_faults(corpus: Path, tmp_path: Path):
    (tmp_path / "recipe.yaml").write_text(f"{RECIPE}\ntrain: {{arch: hmst_aed_tiny, max-updat: 2}}\n", encoding="utf-8")
    with pytest.raises(CheckError, match="faults, nothing was begun:\n  .*max-updat"):
        check_before_work(tmp_path / "recipe.yaml")
