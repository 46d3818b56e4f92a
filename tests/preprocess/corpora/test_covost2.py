"""CoVoST 2 over Common Voice's clips, in both of its forms, with the faults of Common Voice Corpus 4."""

import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cards import read_card

from preprocess.errors import AudioError, ManifestError, PreprocessError
from preprocess.files.faults import read_faults
from preprocess.speech.audio import load_audio

# clip, split, sentence, translation
ROWS = [
    ("common_voice_fr_1", "train", "Bonjour à tous.", "Hello, everyone."),
    ("common_voice_fr_2", "train_covost", 'Il dit "oui".', 'He says "yes".'),
    ("common_voice_fr_3", "dev", "L'été \\ l'hiver", "Summer \\ winter"),
    ("common_voice_fr_4", "test", "Cafe\u0301\u00a0noir", "Black  coffee"),
    ("common_voice_fr_5", "test_covost", "Rien.", "Nothing."),
    ("common_voice_fr_6", "dev_covost", "Rien.", "Nothing."),
]
TEXTS = {
    "train": [("Bonjour à tous.", "Hello, everyone."), ('Il dit "oui".', 'He says "yes".')],
    "dev": [("L'été \\ l'hiver", "Summer \\ winter")],
    "test": [("Café noir", "Black coffee")],
}
LANGUAGES = ("--src-lang", "fr", "--tgt-lang", "en")


def write_tsv(path: Path, columns: list[str], rows: list[list[str]]) -> None:
    """As CoVoST's own script writes its files."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        form = {"delimiter": "\t", "quoting": csv.QUOTE_NONE, "escapechar": "\\", "lineterminator": "\n"}
        csv.writer(file, **form).writerows([columns, *rows])


def write_translations(root: Path, rows=ROWS, pair: str = "fr_en") -> None:
    table = [[f"{clip}.mp3", translation, split] for clip, split, _, translation in rows]
    write_tsv(root / f"covost_v2.{pair}.tsv", ["path", "translation", "split"], table)


def write_validated(root: Path, rows=ROWS) -> None:
    columns = ["client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accent"]
    table = [[f"c-{clip}", f"{clip}.mp3", sentence, "2", "0", "", "", ""] for clip, _, sentence, _ in rows]
    write_tsv(root / "validated.tsv", columns, table)


def write_joined(root: Path) -> None:
    columns = ["path", "sentence", "translation", "client_id"]
    for split, kept in {"train": ("train", "train_covost"), "dev": ("dev",), "test": ("test",)}.items():
        rows = [[f"{clip}.mp3", *texts, f"c-{clip}"] for clip, row_split, *texts in ROWS if row_split in kept]
        write_tsv(root / f"covost_v2.fr_en.{split}.tsv", columns, rows)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number in range(1, 7):
        samples = 0.1 * np.random.default_rng(number).standard_normal(round(48_000 * (0.5 + 0.1 * number)))
        soundfile.write(folder / f"common_voice_fr_{number}.mp3", samples, 48_000)
    return folder


@pytest.fixture
def root(clips: Path, tmp_path: Path) -> Path:
    """As downloaded: Common Voice's folder, and CoVoST's file of translations in it."""
    shutil.copytree(clips, tmp_path / "fr/clips")
    write_validated(tmp_path / "fr")
    write_translations(tmp_path / "fr")
    return tmp_path / "fr"


def test_rows_as_downloaded(root: Path, run_manifest, read_out):
    run_manifest("covost2", root, *LANGUAGES)
    for split, texts in TEXTS.items():
        assert [(row.src_text, row.tgt_text) for row in read_out(split)] == texts
    first = read_out("train")[0]
    assert (first.id, first.speaker) == ("common_voice_fr_1-en", "c-common_voice_fr_1")
    assert (first.src_lang, first.tgt_lang, first.offset, first.duration) == ("fr", "en", 0.0, None)
    assert first.audio.resolve() == root / "clips/common_voice_fr_1.mp3"
    assert len(load_audio(first.audio)) == pytest.approx(0.6 * 16_000, abs=1200)  # mp3 pads


def test_the_files_of_its_own_script_make_the_same_manifests(root: Path, run_manifest):
    out = run_manifest("covost2", root, *LANGUAGES)
    expected = {path.name: path.read_bytes() for path in out.glob("*.tsv")}
    (root / "covost_v2.fr_en.tsv").unlink()
    (root / "validated.tsv").unlink()
    write_joined(root)
    run_manifest("covost2", root, *LANGUAGES)
    assert {path.name: path.read_bytes() for path in out.glob("*.tsv")} == expected
    assert sorted(expected) == ["dev.tsv", "test.tsv", "train.tsv"]


def test_escapes_are_read_as_the_csv_module_reads_them(root: Path, run_manifest, read_out):
    path = root / "covost_v2.fr_en.tsv"
    assert '\\"yes\\"' in path.read_text(encoding="utf-8")
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar="\\"))
    run_manifest("covost2", root, *LANGUAGES)
    found = {row.audio.name: row.tgt_text for split in TEXTS for row in read_out(split)}
    expected = {row["path"]: " ".join(row["translation"].split()) for row in rows}
    assert found == {name: expected[name] for name in found}


def test_bom_and_crlf_change_nothing(root: Path, run_manifest):
    out = run_manifest("covost2", root, *LANGUAGES)
    expected = (out / "train.tsv").read_bytes()
    for name in ("covost_v2.fr_en.tsv", "validated.tsv"):
        content = (root / name).read_bytes()
        (root / name).write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    run_manifest("covost2", root, *LANGUAGES)
    assert (out / "train.tsv").read_bytes() == expected


def test_from_english_into_several_languages(root: Path, run_manifest, read_out):
    for language in ("de", "zh-CN"):
        write_translations(root, [(*row[:3], f"{language} {row[3]}") for row in ROWS], f"en_{language}")
    run_manifest("covost2", root, "--src-lang", "en", "--tgt-lang", "de", "zh-CN")
    rows = read_out("train")
    assert [row.id.split("-", 1)[1] for row in rows] == ["de", "de", "zh-CN", "zh-CN"]
    assert [row.tgt_text.split()[0] for row in rows] == [row.tgt_lang for row in rows]
    assert {row.src_lang for row in rows} == {"en"}


def test_rows_without_translation_or_sentence_are_left_out_counted_and_named(root: Path, run_manifest, read_out):
    train = [("common_voice_fr_1", "train", "a", "REMOVE"), ("common_voice_fr_2", "train", "b", " ")]
    train += [("common_voice_fr_3", "train", "c", "Remove it."), ("common_voice_fr_7", "train", "d", "Not validated.")]
    write_translations(root, train)
    write_validated(root, train[:3])
    out = run_manifest("covost2", root, *LANGUAGES)
    assert [row.tgt_text for row in read_out("train")] == ["Remove it."]
    reasons = {"marked REMOVE": 1, "no translation": 1, "not in validated.tsv": 1}
    assert read_card(out, "manifest")["filtered"] == {"train": reasons}
    left_out = read_faults(out.with_name("out.filtered.tsv"))
    assert [row.location for row in left_out] == [f"{root}/covost_v2.fr_en.tsv:{line}" for line in (2, 3, 5)]


CLIP_FAULTS = {
    "missing": (lambda clip: clip.unlink(), "audio not found: .*common_voice_fr_2.mp3"),
    "empty": (lambda clip: clip.write_bytes(b""), r"common_voice_fr_2.mp3: the audio file is empty \(0 bytes\)"),
    "no mp3": (
        lambda clip: clip.write_bytes(b"\x00" * 5000),
        "fr_2.mp3: not audio: its first 4096 bytes are all zero",
    ),
    "a page": (lambda clip: clip.write_text("<html>" * 900), "common_voice_fr_2.mp3: not audio but a page of HTML"),
}


@pytest.mark.parametrize("fault", CLIP_FAULTS)
def test_a_clip_at_fault_is_an_error_that_names_its_line(root: Path, run_manifest, fault: str):
    spoil, message = CLIP_FAULTS[fault]
    spoil(root / "clips/common_voice_fr_2.mp3")
    with pytest.raises(PreprocessError, match=rf"covost_v2.fr_en.tsv:3: utterance 'common_voice_fr_2-en': .*{message}"):
        run_manifest("covost2", root, *LANGUAGES)


@pytest.mark.parametrize("fault", CLIP_FAULTS)
def test_with_on_error_skip_clips_at_fault_are_left_out_and_named(root: Path, run_manifest, read_out, fault: str):
    spoil, message = CLIP_FAULTS[fault]
    spoil(root / "clips/common_voice_fr_2.mp3")
    out = run_manifest("covost2", root, *LANGUAGES, "--on-error", "skip", "--max-errors", 0.25)
    assert [row.id for row in read_out("train")] == ["common_voice_fr_1-en"]
    (left_out,) = read_faults(out.with_name("out.errors.tsv"))
    assert (left_out.id, left_out.location) == ("common_voice_fr_2-en", f"{root}/covost_v2.fr_en.tsv:3")
    assert re.search(message, left_out.reason)


def test_rows_of_other_clips_may_have_any_fault(root: Path, run_manifest, read_out):
    with open(root / "validated.tsv", "ab") as file:
        file.write(b"c-9\tcommon_voice_fr_9.mp3\teine\tPhrase\t2\t0\t\t\t\nc-8\tcommon_voice_fr_8.mp3\tcaf\xe9\n")
    run_manifest("covost2", root, *LANGUAGES)
    for split, texts in TEXTS.items():
        assert [(row.src_text, row.tgt_text) for row in read_out(split)] == texts


def test_a_clip_whose_row_cannot_be_read_is_left_out_and_named(root: Path, run_manifest, read_out):
    path = root / "validated.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace("Bonjour", "Bon\tjour"), encoding="utf-8")
    with pytest.raises(ManifestError, match=r"fr_en.tsv:2: .*validated.tsv:2: expected 8 tab-separated fields"):
        run_manifest("covost2", root, *LANGUAGES)
    out = run_manifest("covost2", root, *LANGUAGES, "--on-error", "skip")
    assert [row.id for row in read_out("train")] == ["common_voice_fr_2-en"]
    (left_out,) = read_faults(out.with_name("out.errors.tsv"))
    assert (left_out.id, left_out.location) == ("common_voice_fr_1-en", f"{root}/covost_v2.fr_en.tsv:2")


def test_tabs_and_line_breaks_of_a_sentence_are_escaped_and_become_spaces(root: Path, run_manifest, read_out):
    rows = [("common_voice_fr_1", "train", 'Un\t"deux"\ntrois', "One\ttwo\nthree"), *ROWS[1:]]
    write_validated(root, rows)
    write_translations(root, rows)
    run_manifest("covost2", root, *LANGUAGES)
    first, _ = read_out("train")
    assert (first.src_text, first.tgt_text) == ('Un "deux" trois', "One two three")


def test_a_split_of_its_own_script_that_is_no_file_is_named(root: Path, run_manifest):
    write_joined(root)
    (root / "covost_v2.fr_en.dev.tsv").unlink()
    (root / "covost_v2.fr_en.dev.tsv").symlink_to("gone.tsv")
    with pytest.raises(ManifestError, match=r"dev.tsv: cannot be read: .*; it is a link to 'gone.tsv', which is not"):
        run_manifest("covost2", root, *LANGUAGES)


ROW_FAULTS = {
    "a tab in the translation": ("One\ttab\ttrain", "expected 3 tab-separated fields (2 tabs), found 4"),
    "a tab escaped by the text's own backslash": ("One \\\ttrain", "expected 3 tab-separated fields (2 tabs), found 2"),
    "a line that ends early in a backslash": ("One \\", "expected 3 tab-separated fields (2 tabs), found 2"),
    "a backslash at the end": ("One\ttrain\\", "the split must be one of train, train_covost, dev, test, dev_covost, "),
    "an unknown split": ("One\ttrainn", "the split must be one of train, .*, test_covost, found 'trainn'"),
    "no split": ("One\t", "the split must be one of .*, found ''"),
}


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_a_row_of_translations_that_cannot_be_read_is_one_item_at_fault(root: Path, run_manifest, read_out, fault: str):
    rest, reason = ROW_FAULTS[fault]
    path = root / "covost_v2.fr_en.tsv"
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[1] = f"common_voice_fr_1.mp3\t{rest}"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ManifestError, match=rf"fr_en.tsv:2: {reason}".replace("(", r"\(").replace(")", r"\)")):
        run_manifest("covost2", root, *LANGUAGES)
    out = run_manifest("covost2", root, *LANGUAGES, "--on-error", "skip")
    assert [row.id for row in read_out("train")] == ["common_voice_fr_2-en"]
    assert [row.tgt_text for row in read_out("dev")] == ["Summer \\ winter"]
    (left_out,) = read_faults(out.with_name("out.errors.tsv"))
    assert (left_out.id, left_out.location) == ("common_voice_fr_1-en", f"{path}:2")


def test_blanks_around_a_split_are_nothing(root: Path, run_manifest, read_out):
    write_translations(root, [(clip, f"{split} ", *texts) for clip, split, *texts in ROWS])
    run_manifest("covost2", root, *LANGUAGES)
    assert [len(read_out(split)) for split in TEXTS] == [2, 1, 1]


def test_a_backslash_at_the_end_of_a_clip_s_row_leaves_the_next_row_alone(root: Path, run_manifest, read_out):
    path = root / "validated.tsv"
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([lines[0], f"{lines[1]}accent\\", *lines[2:]]), encoding="utf-8")
    run_manifest("covost2", root, *LANGUAGES)
    assert [(row.src_text, row.tgt_text) for row in read_out("train")] == TEXTS["train"]


def test_a_clip_cut_in_the_middle_is_found_before_it_is_decoded(root: Path, run_manifest):
    clip = root / "clips/common_voice_fr_2.mp3"
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"fr_en.tsv:3: .*common_voice_fr_2.mp3: cut short: its header says 31 frames"):
        run_manifest("covost2", root, *LANGUAGES)


def test_missing_files_and_columns_are_errors(root: Path, run_manifest):
    with pytest.raises(ManifestError, match=r"expected covost_v2.fr_de.tsv or .* found covost_v2.fr_en.tsv"):
        run_manifest("covost2", root, "--src-lang", "fr", "--tgt-lang", "de")
    with pytest.raises(ManifestError, match=r"fr/clips/clips: no such folder; --root is Common Voice's folder"):
        run_manifest("covost2", root / "clips", *LANGUAGES)
    (root / "validated.tsv").unlink()
    with pytest.raises(ManifestError, match="validated.tsv: cannot be read"):
        run_manifest("covost2", root, *LANGUAGES)
    write_tsv(root / "covost_v2.fr_en.train.tsv", ["path", "sentence"], [["a.mp3", "b"]])
    with pytest.raises(
        ManifestError, match="train.tsv:1: expected at least the columns .* missing: translation, client_id"
    ):
        run_manifest("covost2", root, *LANGUAGES)
    for split in ("train", "dev"):
        (root / f"covost_v2.fr_en.{split}.tsv").unlink(missing_ok=True)
    write_tsv(root / "covost_v2.fr_en.tsv", ["path", "translation", "split"], [["a.mp3", "b", "test_covost"]])
    write_validated(root)
    with pytest.raises(ManifestError, match="fr: it has no row of train, dev or a test set"):
        run_manifest("covost2", root, *LANGUAGES)
