"""Corpora of the evidence example: units and texts that become data-bins."""

import json
import sys

import numpy as np
from evidence_grid import EXAMPLE, example_on_path  # noqa: F401
from toy import run_command

from preprocess.files.manifest import read_manifest


def test_units_and_texts_become_a_data_bin_of_speech_and_external_text(tmp_path):
    folder, out = tmp_path / "given", tmp_path / "corpus"
    folder.mkdir()
    texts = {"train": "one two three four", "dev": "five", "test": "six seven", "mt": "eight nine"}
    for split, words in texts.items():
        lines = [f"the word is {word}" for word in words.split()]
        (folder / f"{split}.en").write_text("\n".join(lines) + "\n")
        (folder / f"{split}.de").write_text(
            "\n".join(line.replace("the word is", "das Wort ist") for line in lines) + "\n"
        )
        if split != "mt":
            units = [f"{split}{row}\t{row} 3 {row} 4 5 6 7" for row in range(len(lines))]
            (folder / f"{split}.units").write_text("\n".join(units) + "\n")
    (folder / "train.tsv").write_text("id\tvoice\n" + "".join(f"train{row}\tslt{row}\n" for row in range(4)))
    options = ["--units", folder, "--target", "de", "--speech-rows", 3, "--out", out]
    assert run_command(sys.executable, EXAMPLE / "corpora/help_pages.py", *options).returncode == 0
    external = (out / "external.tsv").read_text().splitlines()
    assert [line.split("\t")[0].split()[-1] for line in external[1:]] == ["four", "eight", "nine"]
    settings = {"subwords.unit-vocab": 8, "subwords.source-vocab": 17, "subwords.target-vocab": 16}
    settings["binarize.mt-text"] = f"[{out}/external.tsv]"
    made = run_command(
        *(sys.executable, "-m", "preprocess", "run", out / "recipe.yaml"),
        *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
    )
    assert made.returncode == 0, made.stderr[-3000:]
    counts = json.loads((out / "data/data-bin/card.json").read_text())["counts"]
    assert [counts["train"][stream]["examples"] for stream in ("st", "mt")] == [3, 6]
    assert [row.speaker for row in read_manifest(out / "manifest/train.tsv", check_audio=False)] == [
        "slt0",
        "slt1",
        "slt2",
    ]
    assert [row.speaker for row in read_manifest(out / "manifest/dev.tsv", check_audio=False)] == [""]


def test_a_table_of_voices_that_lacks_a_row_is_refused(tmp_path):
    for split, rows in {"train": 2, "dev": 1, "test": 1}.items():
        for name in (f"{split}.en", f"{split}.de", f"{split}.units"):
            (tmp_path / name).write_text(f"{split}0\t1 2\n" * rows)
    (tmp_path / "train.tsv").write_text("id\tvoice\ntrain0\tslt\n")
    result = run_command(
        sys.executable, EXAMPLE / "corpora/help_pages.py", "--units", tmp_path, "--out", tmp_path / "out"
    )
    assert result.returncode == 1
    assert "train.tsv has 1 rows, train.units has 2" in result.stderr


def test_units_that_keep_repetitions_have_one_token_a_frame():
    from units_with_repetitions import alternate

    units = np.array([7, 7, 7, 3, 3, 7, 0])
    found = alternate(units, 10)
    assert found.tolist() == [7, 17, 7, 3, 13, 7, 0]
    assert (found % 10).tolist() == units.tolist()


def test_the_corpus_without_deduplication_has_the_units_of_the_recipe_before_it(tmp_path):
    from preprocess.files.units import deduplicate, read_units

    sizes = ["--train", 60, "--text", 80, "--dev", 12, "--test", 12]
    corpus = run_command("bash", EXAMPLE / "corpora/announcements.sh", tmp_path / "corpus", *sizes)
    assert corpus.returncode == 0, corpus.stderr[-3000:]
    settings = [f"--set=manifest.root={tmp_path}/corpus/fr", "--set=subwords.unit-vocab=100"]
    settings += ["--set=subwords.source-vocab=80", "--set=subwords.target-vocab=80"]
    recipe = EXAMPLE / "corpora/announcements_recipe.yaml"
    made = run_command(sys.executable, "-m", "preprocess", "run", recipe, "--out", tmp_path / "data", *settings)
    assert made.returncode == 0, made.stderr[-3000:]
    for split in ("train", "dev", "test"):
        expected = dict(read_units(tmp_path / f"data/units/{split}.units"))
        kept = read_units(tmp_path / f"corpus/repetitions/{split}.units")
        found = {name: np.array(units) % 64 for name, units in kept}
        assert {name: deduplicate(units)[0].tolist() for name, units in found.items()} == expected
        assert sum(map(len, found.values())) > sum(map(len, expected.values()))
