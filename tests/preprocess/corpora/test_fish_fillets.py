import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from debian_stubs import Archive

from preprocess.corpora.fish_fillets import DEV_PERCENT, TEST_PERCENT
from preprocess.corpora.rows.held_out import letters_of, split_of
from preprocess.errors import AudioError, ManifestError

GAME = "usr/share/games/fillets-ng"
# Real levels: a split that users have trained on must not change.
TRAIN, OTHER_TRAIN, DEV, TEST = "airplane", "start", "creatures", "chest"
TEXTS = {  # by level, and then as (id, English, Czech, German)
    TRAIN: [
        ("let-m", "What ship is that?", "Co je to za loď?", "Was für ein Schiff ist das?"),
        ("let-v", "A wreck.", "Vrak.", "Ein Wrack."),
    ],
    OTHER_TRAIN: [("st-m", "Where are we?", "Kde jsme?", "Wo sind wir?")],
    DEV: [("cr-m", "Music!", "Hudba!", "Musik!")],
    TEST: [("tru-v", "A chest.", "Truhla.", "Eine Truhe.")],
}
NOT_SPOKEN = "let-v"


def script(rows: list[tuple[str, ...]], column: int) -> str:
    calls = []
    for row in rows:
        calls.append(
            f'dialogId("{row[0]}", "font_small", "{row[1]}")\n' + f'dialogStr("{row[column]}")\n' * (column > 1)
        )
    return "\n".join(calls)


def ogg(seconds: float) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(int(22_050 * seconds)), 22_050, format="OGG", subtype="VORBIS")
    return buffer.getvalue()


def game_files(texts: dict[str, list[tuple[str, ...]]], sound: bytes) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {}
    for level, rows in texts.items():
        for column, language in ((1, "en"), (2, "cs"), (3, "de")):
            files[f"{GAME}/script/{level}/dialogs_{language}.lua"] = script(rows, column)
        files |= {f"{GAME}/sound/{level}/cs/{row[0]}.ogg": sound for row in rows if row[0] != NOT_SPOKEN}
    return files


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_manifest):
    """Fetch and read a game of these texts and further files; returns the output folder."""

    def run(texts: dict = TEXTS, files: dict[str, str | bytes] | None = None, pair: str = "cs en") -> Path:
        archive = Archive(tmp_path, monkeypatch)
        archive.add("fillets-ng-data", game_files(texts, ogg(0.3)) | (files or {}))
        for package in ("fillets-ng-data-cs", "fillets-ng-data-nl"):
            archive.add(package, {})
        source, *targets = pair.split()
        return run_manifest("fish_fillets", tmp_path / "root", "--fetch", "--src-lang", source, "--tgt-lang", *targets)

    return run


def read_mt(out: Path, pair: str = "cs-en") -> list[tuple[str, str]]:
    sides = [(out / f"mt.{pair}.{language}").read_text().splitlines() for language in pair.split("-")]
    return list(zip(*sides, strict=True))


def test_one_command_makes_everything_and_names_the_licence(make, read_out, caplog, tmp_path: Path):
    caplog.set_level("INFO")
    out = make()
    assert "licence GPL-2" in caplog.text
    first, second = read_out("train")
    assert (first.id, first.src_text, first.tgt_text) == (
        "airplane/let-m-cs-en",
        "Co je to za loď?",
        "What ship is that?",
    )
    assert (first.src_lang, first.tgt_lang, first.speaker) == ("cs", "en", "cs-small")
    assert first.audio.resolve() == tmp_path / "root/unpacked" / GAME / "sound/airplane/cs/let-m.ogg"
    assert second.id == "start/st-m-cs-en"
    assert [row.id for split in ("dev", "test") for row in read_out(split)] == [
        "creatures/cr-m-cs-en",
        "chest/tru-v-cs-en",
    ]
    assert read_mt(out) == [("Vrak.", "A wreck.")]  # of a training level, not spoken


def test_several_target_languages(make, read_out):
    out = make(pair="cs de en")
    assert [(row.id, row.tgt_text) for row in read_out("dev")] == [
        ("creatures/cr-m-cs-de", "Musik!"),
        ("creatures/cr-m-cs-en", "Music!"),
    ]
    assert read_mt(out, "cs-de") == [("Vrak.", "Ein Wrack.")]


def test_what_is_not_spoken_in_levels_of_dev_and_test_is_no_external_text(make):
    out = make({TRAIN: TEXTS[OTHER_TRAIN], DEV: [*TEXTS[DEV], TEXTS[TRAIN][1]], TEST: [*TEXTS[TEST], TEXTS[TRAIN][1]]})
    assert not list(out.glob("mt.*"))


def test_a_level_is_in_the_same_split_whatever_the_language(make, read_out):
    split = {level: split_of(level, DEV_PERCENT, TEST_PERCENT) for level in TEXTS}
    assert split == {TRAIN: "train", OTHER_TRAIN: "train", DEV: "dev", TEST: "test"}
    make(pair="cs de")
    assert {row.id.split("/")[0] for row in read_out("train")} == {TRAIN, OTHER_TRAIN}


def test_training_texts_that_equal_one_of_dev_or_test_are_left_out_and_counted(make, read_out, tmp_path: Path, capsys):
    leaks = [
        ("x1", "Something else.", "hudba...", "x"),  # source of dev
        ("x2", "A chest!", "Bedna.", "x"),  # target of test
        (NOT_SPOKEN, "A wreck.", "TRUHLA", "x"),  # not spoken
    ]
    out = make(TEXTS | {TRAIN: [TEXTS[TRAIN][0], *leaks]})
    assert [row.id for row in read_out("train")] == ["airplane/let-m-cs-en", "start/st-m-cs-en"]
    assert not list(out.glob("mt.*"))
    assert "train: 2 filtered: equals a text of dev or test" in capsys.readouterr().out
    held_out = {
        letters_of(text) for row in [*read_out("dev"), *read_out("test")] for text in (row.src_text, row.tgt_text)
    }
    assert not held_out & {letters_of(text) for row in read_out("train") for text in (row.src_text, row.tgt_text)}


def test_texts_with_a_parameter_and_sounds_without_text_are_left_out(make, read_out):
    rows = [*TEXTS[TRAIN], ("hours", "It took %1 hours.", "Trvalo to %1 hodin.", "x"), ("hm", "", "", "")]
    make(TEXTS | {TRAIN: rows})
    assert [row.id for row in read_out("train")] == ["airplane/let-m-cs-en", "start/st-m-cs-en"]


def test_a_sound_without_samples_is_none_and_a_broken_one_is_named(make, read_out):
    path = f"{GAME}/sound/{TRAIN}/cs/let-m.ogg"
    out = make(files={path: ogg(0)})
    assert [row.id for row in read_out("train")] == ["start/st-m-cs-en"]
    assert read_mt(out)[0] == ("Co je to za loď?", "What ship is that?")


def test_a_broken_sound_is_named_with_the_line_of_its_text(make):
    path = f"{GAME}/sound/{TRAIN}/cs/let-m.ogg"
    with pytest.raises(AudioError, match=r"airplane/dialogs_cs.lua:1: utterance 'airplane/let-m-cs-en': .*not audio"):
        make(files={path: b"no sound"})


def test_roots_and_languages_at_fault_are_refused(make, run_manifest, tmp_path: Path):
    with pytest.raises(ManifestError, match="does not exist; --fetch makes it"):
        run_manifest("fish_fillets", tmp_path / "none", "--src-lang", "cs", "--tgt-lang", "en")
    with pytest.raises(ManifestError, match="--src-lang and --tgt-lang must differ, both have cs"):
        make(pair="cs cs")
    with pytest.raises(ManifestError, match="expected LEVEL/nl/ID.ogg in it, found none"):
        run_manifest("fish_fillets", tmp_path / "root", "--src-lang", "nl", "--tgt-lang", "en")
    with pytest.raises(ManifestError, match=r"expected LEVEL/dialogs_fr.lua in it"):
        run_manifest("fish_fillets", tmp_path / "root", "--src-lang", "cs", "--tgt-lang", "fr")
