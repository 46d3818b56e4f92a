from pathlib import Path

import numpy as np
import pytest
import soundfile

from preprocess.__main__ import main
from preprocess.files.manifest import read_manifest

HEADER = "id\tsplit\taudio\tseconds\trecordings\ten\tfr\tes"
ROWS = [
    "a\ttrain\taudio/a.wav\t0.5\tx y\tone\tun\tuno",
    "t\ttrain\t\t\t\ttwo\tdeux\tdos",
    "b\tdev\taudio/a.wav\t0.5\tx\tthree\ttrois\ttres",
    "c\ttest\taudio/a.wav\t0.5\tx\tfour\tquatre\tcuatro",
    "d\ttest_prompts\taudio/a.wav\t0.5\tx\tfive\tcinq\tcinco",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "corpus/audio").mkdir(parents=True)
    soundfile.write(tmp_path / "corpus/audio/a.wav", np.zeros(8000), 16_000)
    return tmp_path / "corpus"


def stage(root: Path, rows: list[str], language: str = "fr") -> int:
    (root / "announcements.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return main(["manifest", "prompts", "--root", str(root), "--out", str(root.parent / "out"), "--tgt-lang", language])


@pytest.mark.parametrize(("language", "texts"), [("fr", ["un", "deux"]), ("es", ["uno", "dos"])])
def test_rows_go_to_their_split_and_rows_without_audio_stay_in_train(root: Path, language: str, texts: list[str]):
    assert stage(root, [HEADER, *ROWS], language) == 0
    out = root.parent / "out"
    names = ["card.json", "dev.tsv", "test.tsv", "test_prompts.tsv", "train.tsv"]
    assert sorted(path.name for path in out.iterdir()) == names
    spoken, text_alone = read_manifest(out / "train.tsv")
    assert [spoken.tgt_text, text_alone.tgt_text] == texts
    assert (spoken.src_lang, spoken.tgt_lang, spoken.src_text, spoken.duration) == ("en", language, "one", 0.5)
    assert spoken.audio.resolve() == root / "audio/a.wav"
    assert (text_alone.audio, text_alone.duration) == (None, None)
    assert [row.id for row in read_manifest(out / "test_prompts.tsv")] == ["d"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([HEADER.removesuffix("\tes"), *ROWS], "announcements.tsv:1: expected the columns"),
        ([HEADER, ROWS[0].replace("train", "valid")], "announcements.tsv:2: split must be one of train, dev"),
        ([HEADER, ROWS[0], ROWS[1].replace("train", "dev")], ":3: only rows of the split train may lack audio"),
        ([HEADER, ROWS[0], ROWS[0]], ":3: utterance 'a': the id was used before"),
        ([HEADER, ROWS[0].replace("a.wav", "b.wav")], ":2: utterance 'a': audio not found"),
        ([HEADER, ROWS[0].replace("\tun\t", "\t\t")], ":2: utterance 'a': tgt_text is empty"),
        ([HEADER, ROWS[0].replace("0.5", "half")], ":2: duration must be a number"),
    ],
)
def test_a_row_at_fault_is_named_and_nothing_is_written(root: Path, capsys, rows: list[str], message: str):
    assert stage(root, rows) == 1
    assert message in capsys.readouterr().err
    assert not (root.parent / "out").exists()


def test_a_folder_without_announcements_is_refused(root: Path, capsys):
    assert main(["manifest", "prompts", "--root", str(root), "--out", str(root.parent / "o"), "--tgt-lang", "fr"]) == 1
    assert "announcements.tsv: cannot be read" in capsys.readouterr().err
