"""External text in a data-bin, read back by fairseq: the pairs that were given, in their languages."""

from collections import Counter
from pathlib import Path

import pytest
from cards import read_card
from tiny_mbart import write_hugging_face_mbart
from toy import make_toy_data_bin, run_preprocess, toy_sentences, translate

from preprocess.__main__ import main
from preprocess.files.faults import faults_path, read_faults
from preprocess.files.manifest import read_manifest


def write_corpora(folder: Path) -> list[Path]:
    """A TMX of 60 units in three languages, a TSV of 40 German rows, and a pair of files of 30 French lines."""
    english = [sentence for _, sentence, _ in toy_sentences(130, seed=99)]
    units = [
        "<tu>"
        + f'<tuv xml:lang="en-US"><seg>{text}</seg></tuv>'
        + "".join(f'<tuv xml:lang="{tag}"><seg>{translate(text, tag)}</seg></tuv>' for tag in ("de", "fr"))
        + "</tu>"
        for text in english[:60]
    ]
    (folder / "a.tmx").write_text(f"<tmx><body>{''.join(units)}</body></tmx>", encoding="utf-8")
    rows = [f"{text}\t{translate(text, 'de')}\tde\n" for text in english[60:100]]
    (folder / "b.tsv").write_text("src_text\ttgt_text\ttgt_lang\n" + "".join(rows), encoding="utf-8")
    (folder / "c.en").write_text("".join(f"{text}\n" for text in english[100:]), encoding="utf-8")
    (folder / "c.fr").write_text("".join(f"{translate(text, 'fr')}\n" for text in english[100:]), encoding="utf-8")
    return [folder / name for name in ("a.tmx", "b.tsv", "c.en", "c.fr")]


def expected_pairs(folder: Path, corpora: list[Path]) -> list[tuple[str, str]]:
    """(language, English) of all pairs of the corpora of which neither side stands in dev or test."""
    known = set()
    for split in ("dev", "test"):
        for row in read_manifest(folder / "manifest" / f"{split}.tsv", check_audio=False):
            known |= {row.src_text, row.tgt_text}
    english = [sentence for _, sentence, _ in toy_sentences(130, seed=99)]
    pairs = [(language, text) for text in english[:60] for language in ("de", "fr")]
    pairs += [("de", text) for text in english[60:100]] + [("fr", text) for text in english[100:]]
    return [(language, text) for language, text in pairs if not known & {text, translate(text, language)}]


def read_external(data_bin: Path, num_own: int, symbols: dict[str, str]) -> list[tuple[str, str]]:
    """(language, English) of the examples of train.mt after the manifest's; each checked against its translation."""
    from fairseq.data import Dictionary
    from fairseq.data.indexed_dataset import make_dataset

    sides = [
        (Dictionary.load(str(data_bin / f"dict.{side}.txt")), make_dataset(f"{data_bin}/train.mt.{side}", "mmap"))
        for side in ("src", "tgt")
    ]
    found = []
    for index in range(num_own, len(sides[0][1])):
        source, target = ([dictionary[token] for token in dataset[index]] for dictionary, dataset in sides)
        language = symbols[target[0]]
        pieces = [[token for token in side if token not in {"</s>", "en_XX", *symbols}] for side in (source, target)]
        text, translation = ("".join(side).replace("▁", " ").strip() for side in (pieces[0][::4], pieces[1]))
        assert translation == translate(text, language)
        found.append((language, text))
    return found


@pytest.mark.parametrize("with_text_model", [False, True])
def test_external_text_of_all_forms_is_in_train_and_the_card_says_how_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], with_text_model: bool
):
    text_model = tmp_path / "mbart" if with_text_model else None
    if text_model:
        write_hugging_face_mbart(text_model, "mbart-50")
    data_bin = make_toy_data_bin(tmp_path, targets=("fr", "de"), text_model=text_model)
    num_own = read_card(data_bin, "binarize")["counts"]["train"]["mt"]["examples"]
    assert read_card(data_bin, "binarize")["external_text"] == []
    inputs = ["--manifest-dir", tmp_path / "manifest", "--units-dir", tmp_path / "units"]
    corpora = write_corpora(tmp_path)
    capsys.readouterr()
    options = ["--subwords", tmp_path / "subwords", "--mt-text", *corpora, "--mt-ratio", 1, 2, 0.5]
    run_preprocess("binarize", *inputs, *options, "--out", data_bin)
    symbols = {"<lang:de>": "de", "<lang:fr>": "fr"}
    if with_text_model:
        symbols = {"de_DE": "de", "fr_XX": "fr"}
    found = read_external(data_bin, num_own, symbols)
    expected = expected_pairs(tmp_path, corpora)
    card = read_card(data_bin, "binarize")
    entries = card["external_text"]
    sizes = [120 - entries[0]["dropped"]["in dev or test"], 40 - entries[1]["dropped"]["in dev or test"]]
    first, second, third = expected[: sizes[0]], expected[sizes[0] : sum(sizes)], expected[sum(sizes) :]
    assert found[: len(first) + 2 * len(second)] == [*first, *(pair for pair in second for _ in range(2))]
    drawn = found[len(first) + 2 * len(second) :]
    assert len(drawn) == round(len(third) / 2)
    assert not Counter(drawn) - Counter(third)
    assert [entry["pairs"] for entry in entries] == [120, 40, 30]
    assert [sum(entry["written"].values()) for entry in entries] == [len(first), 2 * len(second), len(drawn)]
    assert card["counts"]["train"]["mt"]["examples"] == num_own + len(found)
    assert 0 < len(first) < 120
    printed = " ".join(capsys.readouterr().out.split())
    assert f"c.en c.fr 30 {30 - len(third)} in dev or test 0.5 {len(drawn)} fr" in printed


def test_what_cannot_be_read_of_external_text_is_listed_in_one_run_and_left_out(tmp_path: Path, capsys):
    data_bin = make_toy_data_bin(tmp_path, targets=("fr", "de"))
    corpora = write_corpora(tmp_path)
    memory = corpora[0]
    memory.write_text(memory.read_text(encoding="utf-8").replace("<seg>", "<seg>&#x1F;", 1), encoding="utf-8")
    with open(corpora[1], "ab") as file:
        file.write(b"one field\nein\tzw\xf6lf\tde\n")
    inputs = ["--manifest-dir", tmp_path / "manifest", "--units-dir", tmp_path / "units"]
    options = ["--subwords", tmp_path / "subwords", "--mt-text", *corpora, "--out", data_bin]
    assert main(["binarize", *map(str, (*inputs, *options))]) == 1
    failed = data_bin.with_name(f"{data_bin.name}.failed.errors.tsv")  # of a run beside an earlier output
    assert f"error: 3 items cannot be used ({failed} lists all of them):\n" in capsys.readouterr().err
    locations = [f"{memory}:1", f"{corpora[1]}:42", f"{corpora[1]}:43"]
    assert [fault.location for fault in read_faults(failed)] == locations
    assert not faults_path(data_bin).exists()
    run_preprocess("binarize", *inputs, *options, "--on-error", "skip", "--max-errors", 0.05)
    assert not failed.exists()
    assert [fault.location for fault in read_faults(faults_path(data_bin))] == locations
    entries = read_card(data_bin, "binarize")["external_text"]
    assert [entry["dropped"].get("cannot be read", 0) for entry in entries] == [1, 2, 0]


def test_the_subwords_can_be_trained_on_a_table_of_external_text(tmp_path: Path):
    make_toy_data_bin(tmp_path)
    write_corpora(tmp_path)
    text = ["--source-text", tmp_path / "b.tsv", "--target-text", tmp_path / "b.tsv"]
    vocabulary = ["--unit-vocab", 68, "--source-vocab", 20, "--target-vocab", 22]
    units = tmp_path / "units" / "train.units"
    run_preprocess("subwords", "--units", units, *text, *vocabulary, "--out", tmp_path / "subwords")
    from preprocess.vocabulary.models import Subwords

    assert Subwords.load(tmp_path / "subwords").decode_target(["▁Katze"]) == "Katze"
