import json
from collections import Counter
from pathlib import Path

import pytest
from debian_stubs import Archive
from help_tree import element, page_files, plain_page

from preprocess.corpora.libreoffice_help import PACKAGES, split_of_page
from preprocess.corpora.releases.synthesis import voice_of
from preprocess.corpora.rows.held_out import letters_of
from preprocess.errors import AudioError, ManifestError
from preprocess.speech.audio import check_audio

LANGUAGES = ("en", "de", "es", "fr")


def page_of(split: str, number: int = 0) -> str:
    pages = (f"shared/{index}" for index in range(1000))
    return [page for page in pages if split_of_page(page) == split][number]


TRAIN, OTHER_TRAIN, DEV, TEST = page_of("train"), page_of("train", 1), page_of("dev"), page_of("test")


def texts(*english: str, **others: list[str]) -> dict[str, list[str]]:
    """Texts by language: translations are made up where they are not given."""
    made_up = {language: [f"{language}: {text}" for text in english] for language in LANGUAGES[1:]}
    return {"en": list(english)} | made_up | others


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    archive = Archive(tmp_path, monkeypatch)
    archive.add_synthesizers()
    return archive


def add_pages(archive: Archive, *pages: dict[str, str]) -> None:
    files = {path: content for page in pages for path, content in page.items()}
    for package in PACKAGES:
        folder = f"/help/{package.removeprefix('libreoffice-help-').replace('us', 'US')}/"
        archive.add(package, {path: content for path, content in files.items() if folder in path})


@pytest.fixture
def make(archive: Archive, tmp_path: Path, run_manifest):
    """Fetch and read a corpus of these pages; returns the output folder."""

    def run(*pages: dict[str, str], languages: tuple[str, ...] = ("de",)) -> Path:
        add_pages(archive, *pages)
        return run_manifest("libreoffice_help", tmp_path / "root", "--fetch", "--tgt-lang", *languages)

    return run


SMALL = (
    plain_page(TRAIN, texts("Opens the text file.", "File menu")),
    plain_page(DEV, texts("Closes the open window.")),
    plain_page(TEST, texts("Prints the whole page.")),
)


def read_mt(out: Path, pair: str = "en-de") -> list[tuple[str, str]]:
    sides = [(out / f"mt.{pair}.{language}").read_text().splitlines() for language in pair.split("-")]
    return list(zip(*sides, strict=True))


def test_one_command_makes_everything_and_says_that_the_speech_is_synthetic(make, read_out, caplog):
    caplog.set_level("INFO")
    out = make(*SMALL)
    assert "licence MPL-2.0; speech: SYNTHETIC" in caplog.text
    (row,) = read_out("train")
    assert (row.src_lang, row.tgt_lang, row.src_text, row.tgt_text) == (
        "en",
        "de",
        "Opens the text file.",
        "de: Opens the text file.",
    )
    assert row.id == f"{TRAIN}#par_id0-de"
    assert row.speaker == voice_of(row.src_text).speaker
    assert row.speaker.startswith("synthetic:")
    assert check_audio(row.audio) == pytest.approx(0.4)  # of the stand-in: four words
    assert [len(read_out(split)) for split in ("dev", "test")] == [1, 1]
    assert read_mt(out) == [("File menu", "de: File menu")]
    card = json.loads((out / "card.json").read_text())
    assert card["counts"]["mt"]["with_audio"] == 0
    assert {"mt.en-de.en", "mt.en-de.de"} <= set(card["hashes"])


def test_all_sentences_of_a_page_are_in_the_split_that_its_name_says(make, read_out):
    pages = [page_of(split, number) for split in ("train", "dev", "test") for number in (0, 1)]
    words = ("one", "two", "three", "four", "five", "six")
    make(
        *(plain_page(page, texts(f"It is {word}.", f"Is it {word}?")) for page, word in zip(pages, words, strict=True))
    )
    found = {split: Counter(row.id.split("#")[0] for row in read_out(split)) for split in ("train", "dev", "test")}
    assert found == {split: {page_of(split, 0): 2, page_of(split, 1): 2} for split in found}


def test_only_sentences_without_program_text_are_spoken_and_the_rest_is_external_text(make, read_out):
    spoken = ["Three words here.", "Press Shift+F1 (or the right button) to get 20% more."]
    others = ["Two words", "Returns the name_of it.", "SUM(Number one; two three)", "naïve and so on", "12 34 56 78"]
    too_long = " ".join(["word"] * 31)
    marked = [element("par_id90", "This is marked code.", "code"), element("hd_id91", "This is a heading")]
    lines = {
        language: [
            *(element(f"par_id{number}", f"{language[:1]} {text}" if language != "en" else text)
              for number, text in enumerate([*spoken, *others, too_long])),
            *(line.replace(">This", f">{language} this") if language != "en" else line for line in marked),
        ]
        for language in LANGUAGES
    }  # fmt: skip
    out = make(*SMALL[1:], page_files(TRAIN, lines))
    assert [row.src_text for row in read_out("train")] == spoken
    assert [pair[0] for pair in read_mt(out)] == [*others, too_long, "This is marked code.", "This is a heading"]


def test_a_sentence_that_many_pages_have_is_spoken_once_and_pairs_are_written_once(make, read_out):
    english = ["Opens the text file.", "File menu", "File menu"]
    first = texts(*english)
    second = texts(*english, de=["Öffnet sie.", "Datei", "Datei"])
    out = make(*SMALL[1:], plain_page(TRAIN, first), plain_page(OTHER_TRAIN, second))
    assert [row.tgt_text for row in read_out("train")] == ["de: Opens the text file."]
    assert read_mt(out) == [
        ("File menu", "de: File menu"),
        ("Opens the text file.", "Öffnet sie."),
        ("File menu", "Datei"),
    ]


def test_no_text_of_train_or_external_text_equals_one_of_dev_or_test(make, read_out, tmp_path: Path):
    train = texts(
        "Closes the open window!",  # but for punctuation a source of dev
        "Prints the complete page.",
        "Opens the text file.",
        "Closes = the open WINDOW",  # not to be spoken
        "File menu",
        de=["Macht zu.", "de: prints the whole page", "Öffnet sie.", "Zu!", "Datei"],
    )
    out = make(*SMALL[1:], plain_page(TRAIN, train))
    held_out = {
        letters_of(text) for row in [*read_out("dev"), *read_out("test")] for text in (row.src_text, row.tgt_text)
    }
    kept = [(row.src_text, row.tgt_text) for row in read_out("train")] + read_mt(out)
    assert kept == [("Opens the text file.", "Öffnet sie."), ("File menu", "Datei")]
    assert not held_out & {letters_of(text) for pair in kept for text in pair}
    filtered = (tmp_path / "out.filtered.tsv").read_text()
    assert filtered.count("equals a text of dev or test") == 3


def test_external_text_has_nothing_from_pages_of_dev_and_test(make):
    pages = [plain_page(page, texts(f"Sentence for {page} here.", f"Menu {page}")) for page in (DEV, TEST)]
    assert read_mt(make(*pages, SMALL[0])) == [("File menu", "de: File menu")]


def test_what_is_not_translated_is_left_out_for_that_language(make, read_out):
    english = ["Opens the text file.", "Saves the text file.", "File menu"]
    train = texts(*english, es=[english[0], "Guarda.", english[2]])
    dev = texts("Closes the open window.", "Shows the open window.", es=["Closes the open window.", "Muestra."])
    out = make(SMALL[2], plain_page(TRAIN, train), plain_page(DEV, dev), languages=("de", "es"))
    kept = {split: [(row.tgt_lang, row.tgt_text) for row in read_out(split)] for split in ("train", "dev")}
    assert kept == {
        "train": [("de", f"de: {english[0]}"), ("de", f"de: {english[1]}"), ("es", "Guarda.")],
        "dev": [("de", f"de: {dev['en'][0]}"), ("de", f"de: {dev['en'][1]}"), ("es", "Muestra.")],
    }
    assert read_mt(out) == [("File menu", "de: File menu")]
    assert not list(out.glob("mt.en-es.*"))


def test_several_languages_share_the_speech(make, read_out):
    make(*SMALL, languages=("de", "fr"))
    german, french = read_out("train")
    assert german.audio == french.audio
    assert (german.id.removesuffix("-de"), german.tgt_lang) == (french.id.removesuffix("-fr"), "de")


def test_a_second_fetch_downloads_and_speaks_nothing(make, archive: Archive, run_manifest, read_out, tmp_path: Path):
    make(*SMALL)
    spoken, commands = read_out("train")[0].audio.stat().st_mtime_ns, archive.log()
    run_manifest("libreoffice_help", tmp_path / "root", "--fetch", "--tgt-lang", "de")
    assert archive.log() == commands
    assert read_out("train")[0].audio.stat().st_mtime_ns == spoken


def test_sentences_that_were_not_spoken_are_counted(make, run_manifest, read_out, tmp_path: Path):
    make(*SMALL)
    read_out("dev")[0].audio.unlink()
    with pytest.raises(AudioError, match="1 of 3 sentences have not been spoken; run again with --fetch"):
        run_manifest("libreoffice_help", tmp_path / "root", "--tgt-lang", "de")


def test_roots_and_languages_at_fault_are_refused(run_manifest, tmp_path: Path):
    with pytest.raises(ManifestError, match="does not exist; --fetch makes it"):
        run_manifest("libreoffice_help", tmp_path / "none", "--tgt-lang", "de")
    with pytest.raises(ManifestError, match="--tgt-lang must name each language once, got de de"):
        run_manifest("libreoffice_help", tmp_path, "--tgt-lang", "de", "de")
    with pytest.raises(ManifestError, match="en-US/text: no such folder"):
        run_manifest("libreoffice_help", tmp_path, "--tgt-lang", "de")
