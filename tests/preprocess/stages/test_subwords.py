"""Truths: the inverse of every encoding, SentencePiece's own verdict on vocabulary sizes, fairseq's Dictionary."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from cards import edit_card, read_card

from preprocess.__main__ import main
from preprocess.errors import MismatchError, PreprocessError, VocabularyError
from preprocess.files.units import deduplicate, text_to_units, units_to_text
from preprocess.vocabulary.dictionary import UNK_INDEX, make_dictionaries, write_dictionary
from preprocess.vocabulary.models import Subwords
from preprocess.vocabulary.token_encoder import TokenEncoder
from preprocess.vocabulary.training import train_model

NUM_UNITS = 2000
WORDS = ["le", "chat", "noir", "dort", "« ici »", "l'été", "où", "ça", "va", "très", "bien ;", "42 %", "<s>", "œuf"]


def write_units(path: Path, rows: list[list[int]]) -> Path:
    path.write_text("".join(f"u{i}\t{' '.join(map(str, row))}\n" for i, row in enumerate(rows)), encoding="utf-8")
    return path


def write_text(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def make_units(count: int, num_units: int, seed: int) -> list[list[int]]:
    """Rows that repeat a few sequences, as speech repeats its sounds."""
    generator = random.Random(seed)
    sounds = [generator.sample(range(num_units), 4) for _ in range(20)]
    rows = [sum(generator.choices(sounds, k=8), [num_units - 1]) for _ in range(count)]
    return [deduplicate(row)[0].tolist() for row in rows]


def make_lines(count: int, seed: int) -> list[str]:
    generator = random.Random(seed)
    return [" ".join(generator.choices(WORDS, k=6)) for _ in range(count)]


def run_subwords(folder: Path, sizes: tuple[int, int, int] = (NUM_UNITS + 50, 45, 48)) -> Path:
    """Run the stage on data of which some units are unseen; the highest unit says how many there are."""
    units = write_units(folder / "train.units", make_units(60, NUM_UNITS, seed=0))
    source = write_text(folder / "source.txt", make_lines(80, seed=1))
    target = write_text(folder / "target.txt", make_lines(80, seed=2))
    options = ["--units", units, "--source-text", source, "--target-text", target, "--out", folder / "subwords"]
    vocab = [
        item
        for name, size in zip(("unit", "source", "target"), sizes, strict=True)
        for item in (f"--{name}-vocab", size)
    ]
    assert main(["subwords", *map(str, options + vocab)]) == 0
    return folder / "subwords"


@pytest.fixture(scope="module")
def subwords_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_subwords(tmp_path_factory.mktemp("subwords"))


def test_all_2000_units_come_back_from_characters_and_subwords_without_unk(subwords_dir: Path):
    subwords = Subwords.load(subwords_dir)
    units = list(range(NUM_UNITS))
    random.Random(3).shuffle(units)
    pieces = subwords.encode_units(units)
    assert "<unk>" not in pieces
    assert text_to_units("".join(pieces)) == units
    for unit in units:
        assert subwords.encode_units([unit]) == [units_to_text([unit])]


def test_the_vocabulary_has_the_size_that_was_asked_for_beside_unk(subwords_dir: Path):
    subwords = Subwords.load(subwords_dir)
    assert len(make_dictionaries(subwords).source) == NUM_UNITS + 50 + 45
    assert len(make_dictionaries(subwords).target) == 48
    assert (subwords.card.unit_subwords, subwords.card.source_subwords) == (NUM_UNITS + 50, 45)
    assert (subwords.card.num_units, subwords.card.kmeans) == (NUM_UNITS, None)


def test_decoding_a_target_gives_back_the_text(subwords_dir: Path):
    subwords = Subwords.load(subwords_dir)
    for line in make_lines(50, seed=4):
        assert subwords.decode_target(subwords.encode_target(line)) == line
    assert subwords.decode_target(subwords.encode_target("")) == ""


def test_subwords_of_a_version_without_escapes_cut_text_as_they_did(subwords_dir: Path, tmp_path: Path):
    folder = shutil.copytree(subwords_dir, tmp_path / "subwords")
    assert read_card(folder, "subwords")["escapes"] is True
    edit_card(folder / "card.json", escapes=...)
    earlier, now = Subwords.load(folder), Subwords.load(subwords_dir)
    assert earlier.encode_target("le▁chat") == earlier.encode_target("le chat") == now.encode_target("le chat")
    assert now.encode_target("le▁chat") != now.encode_target("le chat")
    assert earlier.decode_target(["▁", "\ufdd1"]) == "\ufdd1"


def test_the_same_input_gives_the_same_bytes(subwords_dir: Path, tmp_path: Path):
    again = run_subwords(tmp_path)
    for name in read_card(subwords_dir, "subwords")["hashes"]:
        assert (again / name).read_bytes() == (subwords_dir / name).read_bytes()


def test_a_sequence_of_units_that_is_often_heard_becomes_one_piece():
    # SentencePiece 0.2.3 finds repeated byte strings and drops those that end inside a character: with unit
    # characters that all begin with the same bytes it hardly learns any piece.
    generator = random.Random(0)
    sound = [7, 3, 900, 44]
    rows = [generator.sample(range(NUM_UNITS), 5) + sound + generator.sample(range(NUM_UNITS), 5) for _ in range(200)]
    model = train_model([units_to_text(row) for row in rows], NUM_UNITS + 1, "", False, units_to_text(range(NUM_UNITS)))
    import sentencepiece

    pieces = sentencepiece.SentencePieceProcessor(model_proto=model).encode(units_to_text(sound), out_type=str)
    assert pieces == [units_to_text(sound)]


def test_fairseq_reads_the_dictionaries_with_ids_in_the_order_of_lines(subwords_dir: Path, tmp_path: Path):
    from fairseq.data import Dictionary

    dictionaries = make_dictionaries(Subwords.load(subwords_dir))
    for symbols in (dictionaries.source, dictionaries.target, ["a", "<s>", "<pad>", "b"]):
        write_dictionary(tmp_path / "dict.txt", symbols)
        dictionary = Dictionary.load(str(tmp_path / "dict.txt"))
        assert [dictionary[index + 4] for index in range(len(symbols))] == symbols
        assert len(dictionary) == len(symbols) + 4
        assert (dictionary.pad(), dictionary.eos(), dictionary.unk()) == (1, 2, 3)


def test_token_ids_are_those_of_the_pieces_in_fairseqs_dictionary(subwords_dir: Path, tmp_path: Path):
    from fairseq.data import Dictionary

    subwords = Subwords.load(subwords_dir)
    dictionaries = make_dictionaries(subwords)
    write_dictionary(tmp_path / "src", dictionaries.source)
    write_dictionary(tmp_path / "tgt", dictionaries.target)
    source, target = Dictionary.load(str(tmp_path / "src")), Dictionary.load(str(tmp_path / "tgt"))
    encoder = TokenEncoder(subwords, dictionaries, None, repeat=3)
    pair = [("en", "fr")]
    assert (encoder.source_size, encoder.target_size) == (len(source), len(target))
    units, text = [5, 1999, 0], "le chat où"

    def ids(dictionary: Dictionary, pieces: list[str]) -> list[int]:
        return [*map(dictionary.index, pieces), dictionary.eos()]

    assert encoder.speech([units], pair)[0].tolist() == ids(source, subwords.encode_units(units))
    assert encoder.transcript([text, ""])[0].tolist() == ids(source, subwords.encode_source(text))
    assert encoder.transcript([text, ""])[1].tolist() == [source.eos()]
    repeated = [piece for piece in subwords.encode_source(text) for _ in range(3)]
    assert encoder.repeated_text([text], pair)[0].tolist() == ids(source, repeated)
    assert encoder.target([text], pair)[0].tolist() == ids(target, subwords.encode_target(text))
    assert UNK_INDEX in encoder.target(["漢"], pair)[0]
    assert UNK_INDEX not in np.concatenate(encoder.speech([range(NUM_UNITS)], pair))


def test_source_text_with_unit_characters_is_refused(tmp_path: Path):
    units = write_units(tmp_path / "train.units", make_units(20, 30, seed=0))
    source = write_text(tmp_path / "source.txt", [f"a {units_to_text([4])} b", "a b"])
    target = write_text(tmp_path / "target.txt", make_lines(20, seed=2))
    sizes = ["--unit-vocab", "30", "--source-vocab", "4", "--target-vocab", "40"]
    texts = ["--source-text", str(source), "--target-text", str(target)]
    assert main(["subwords", "--units", str(units), *texts, *sizes, "--out", str(tmp_path / "subwords")]) == 0
    with pytest.raises(VocabularyError, match="1 pieces stand in the unit model and in the source-text model"):
        make_dictionaries(Subwords.load(tmp_path / "subwords"))


def test_a_vocabulary_too_large_names_the_size_that_is_possible():
    lines = ["le chat noir", "le chien noir", "un chat"] * 2
    with pytest.raises(
        VocabularyError, match=r"^--x of F: asked for 500 pieces, but the data allows only (\d+)"
    ) as error:
        train_model(lines, 500, "--x of F", is_text=True)
    possible = int(str(error.value).split("only ")[1].split(";")[0])
    assert train_model(lines, possible, "", is_text=True)
    with pytest.raises(VocabularyError):
        train_model(lines, possible + 1, "", is_text=True)


def test_a_vocabulary_smaller_than_the_alphabet_names_the_size_that_is_needed():
    lines = ["abc abd", "bcd ab"] * 5  # a b c d and the space
    with pytest.raises(
        VocabularyError, match=r"asked for 4 pieces, but the data has 5 characters .* ask for 5 or more"
    ):
        train_model(lines, 4, "--x of F", is_text=True)
    assert train_model(lines, 5, "", is_text=True)
    alphabet = units_to_text(range(NUM_UNITS))
    with pytest.raises(VocabularyError, match="asked for 1999 pieces, but the data has 2000 characters"):
        train_model([units_to_text([1, 2])], 1999, "", is_text=False, alphabet=alphabet)
    assert train_model([units_to_text([1, 2])], 2000, "", is_text=False, alphabet=alphabet)


def test_no_text_is_an_error():
    with pytest.raises(VocabularyError, match="--source-vocab of F: there is no text"):
        train_model([], 10, "--source-vocab of F", is_text=True)


def test_long_lines_count(subwords_dir: Path):
    assert train_model(["x" * 10000 + "é", "y"], 4, "", is_text=True)  # é is a piece, though its line is long


def test_an_error_leaves_no_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    units = write_units(tmp_path / "train.units", make_units(20, 30, seed=0))
    text = str(write_text(tmp_path / "text", make_lines(9, seed=0)))
    options = ["--units", str(units), "--source-text", text, "--target-text", text, "--unit-vocab", "40"]
    assert main(["subwords", *options, "--out", str(tmp_path / "subwords")]) == 1
    assert f"error: --source-vocab of {text}: asked for 4000 pieces" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text", "train.units"]


def test_a_changed_model_is_refused(tmp_path: Path):
    folder = run_subwords(tmp_path)
    (folder / "unit.model").write_bytes((folder / "source.model").read_bytes())
    with pytest.raises(MismatchError, match=r"unit\.model: has changed since it was made"):
        Subwords.load(folder)
    with pytest.raises(PreprocessError, match="not a finished output of the stage 'subwords'"):
        Subwords.load(tmp_path)
