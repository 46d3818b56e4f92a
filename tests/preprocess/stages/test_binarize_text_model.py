"""Data-bins of a pretrained text model. Truth: transformers' own mBART tokenizers, which share no code with us."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cards import read_card
from tiny_mbart import CONVENTIONS, language_symbols, write_fairseq_mbart
from toy import NUM_UNITS, make_toy_data_bin, run_preprocess

from preprocess.__main__ import main
from preprocess.errors import VocabularyError
from preprocess.files.hashing import hash_file
from preprocess.files.languages import Languages, LanguageSymbols, find_language_symbols
from preprocess.files.manifest import Utterance, read_manifest
from preprocess.files.units import read_units, text_to_units
from preprocess.vocabulary.dictionary import make_dictionaries
from preprocess.vocabulary.models import Subwords, model_pieces
from preprocess.vocabulary.token_encoder import TokenEncoder

SYMBOLS = {"en": "en_XX", "fr": "fr_XX", "de": "de_DE"}


@pytest.fixture(scope="module", params=CONVENTIONS)
def convention(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def make_data_bin(tmp_path_factory: pytest.TempPathFactory, convention: str) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("mbart")
    model = write_fairseq_mbart(folder / "tiny", convention)
    return lambda name, **options: make_toy_data_bin(folder / name, text_model=model, **options)


@pytest.fixture(scope="module")
def whole(make_data_bin: Callable[..., Path]) -> Path:
    """All pieces, every source token once, two target languages. Do not change it."""
    return make_data_bin("whole", repeat=1, keep_all_pieces=True, targets=("fr", "de"))


@pytest.fixture(scope="module")
def pruned(make_data_bin: Callable[..., Path]) -> Path:
    """Do not change it."""
    return make_data_bin("pruned", targets=("fr", "de"))


def make_tokenizer(data_bin: Path, convention: str, row: Utterance) -> Any:
    """transformers' tokenizer of the convention, for the languages of a row, from the pieces of the model."""
    from transformers import MBart50Tokenizer, MBartTokenizer

    model = Subwords.load(data_bin / "subwords").source
    pieces = [(model.id_to_piece(index), model.get_score(index)) for index in range(model.get_piece_size())]
    languages = {"src_lang": SYMBOLS[row.src_lang], "tgt_lang": SYMBOLS[row.tgt_lang]}
    if convention == "mbart-50":
        return MBart50Tokenizer(vocab=pieces, **languages)  # it puts special symbols and languages there itself
    special = [(symbol, 0.0) for symbol in ("<s>", "<pad>", "</s>", "<unk>")]
    extra = [(symbol, 0.0) for symbol in (*language_symbols(convention), "<mask>")]
    return MBartTokenizer(vocab=[*special, *pieces[3:], *extra], **languages)


def read_ids(data_bin: Path, name: str) -> list[list[int]]:
    from fairseq.data.indexed_dataset import make_dataset

    return [example.tolist() for example in make_dataset(str(data_bin / name), impl="mmap")]


def read_back(data_bin: Path, name: str, side: str) -> list[list[str]]:
    from fairseq.data import Dictionary

    dictionary = Dictionary.load(str(data_bin / f"dict.{side}.txt"))
    return [[dictionary[index] for index in ids] for ids in read_ids(data_bin, name)]


def lines_of(path: Path) -> list[str]:
    return [line.removesuffix(" 1") for line in path.read_text(encoding="utf-8").splitlines()]


def rows_with_text(data_bin: Path, split: str = "dev") -> list[Utterance]:
    rows = read_manifest(data_bin.parent / "manifest" / f"{split}.tsv", check_audio=False)
    return [row for row in rows if row.src_text]


def test_all_pieces_have_the_ids_of_transformers_tokenizer(whole: Path, convention: str):
    sources, targets = read_ids(whole, "valid.mt.src"), read_ids(whole, "valid.mt.tgt")
    for row, source, target in zip(rows_with_text(whole), sources, targets, strict=True):
        encoded = make_tokenizer(whole, convention, row)(row.src_text, text_target=row.tgt_text)
        assert source == encoded["input_ids"]
        labels = encoded["labels"]
        assert target == (labels if convention == "mbart-50" else [labels[-1], *labels[:-1]])


def test_the_output_dictionary_is_transformers_vocabulary_and_begins_the_input_dictionary(whole: Path, convention: str):
    tokenizer = make_tokenizer(whole, convention, rows_with_text(whole)[0])
    target, source = lines_of(whole / "dict.tgt.txt"), lines_of(whole / "dict.src.txt")
    assert target == tokenizer.convert_ids_to_tokens(list(range(4, len(tokenizer))))
    assert source[: len(target)] == target
    assert sorted(text_to_units("".join(unit for unit in source[len(target) :] if len(unit) == 1))) == [
        *range(NUM_UNITS)
    ]


def test_pruned_data_has_the_same_symbols_as_unpruned_data(whole: Path, pruned: Path):
    for name, side in (("valid.mt.tgt", "tgt"), ("train.st.tgt", "tgt"), ("train.st.src", "src")):
        assert read_back(pruned, name, side) == read_back(whole, name, side)
    assert read_back(pruned, "test.st.transcript", "src") == read_back(whole, "test.st.transcript", "src")


def test_the_kept_pieces_are_those_that_occur_in_the_models_order(whole: Path, pruned: Path, convention: str):
    used = set()
    for split in ("train", "valid", "test"):
        for name, side in (("st.tgt", "tgt"), ("mt.tgt", "tgt"), ("mt.src", "src"), ("st.transcript", "src")):
            used |= {symbol for symbols in read_back(whole, f"{split}.{name}", side) for symbol in symbols}
    pieces = model_pieces(Subwords.load(pruned / "subwords").target)
    kept = [piece for piece in pieces if piece in used]
    assert lines_of(pruned / "dict.tgt.txt") == [*kept, *language_symbols(convention), "<mask>"]
    assert 10 < len(kept) < len(pieces)


def test_units_are_repeated_in_no_way_and_have_the_symbol_where_the_convention_wants_it(pruned: Path, convention: str):
    units = dict(read_units(pruned.parent / "units" / "dev.units"))
    for utterance, symbols in zip(units.values(), read_back(pruned, "valid.st.src", "src"), strict=True):
        speech = symbols[1:-1] if convention == "mbart-50" else symbols[:-2]
        assert symbols == (["en_XX", *speech, "</s>"] if convention == "mbart-50" else [*speech, "</s>", "en_XX"])
        assert text_to_units("".join(speech)) == [*utterance]


def test_repeated_text_has_the_symbol_and_the_end_once(pruned: Path, whole: Path):
    for once, symbols in zip(
        read_back(whole, "valid.mt.src", "src"), read_back(pruned, "valid.mt.src", "src"), strict=True
    ):
        assert symbols == [s for symbol in once for s in [symbol] * (1 if symbol in ("en_XX", "</s>") else 4)]


def test_transcripts_have_no_symbol_and_targets_have_it_first(pruned: Path):
    rows = read_manifest(pruned.parent / "manifest" / "dev.tsv", check_audio=False)
    transcripts, targets = read_back(pruned, "valid.st.transcript", "src"), read_back(pruned, "valid.st.tgt", "tgt")
    for row, transcript, target in zip(rows, transcripts, targets, strict=True):
        assert (target[0], target[-1], transcript[-1]) == (SYMBOLS[row.tgt_lang], "</s>", "</s>")
        assert "".join(target[1:-1]).replace("▁", " ").strip() == row.tgt_text
        assert "".join(transcript[:-1]).replace("▁", " ").strip() == row.src_text


def test_the_card_says_how_to_read_the_data_bin(pruned: Path, whole: Path, convention: str):
    card = read_card(pruned, "binarize")
    target, source = lines_of(pruned / "dict.tgt.txt"), lines_of(pruned / "dict.src.txt")
    num_kept = len(target) - len(language_symbols(convention)) - 1
    places = {"mbart-50": ("source_first", "first_output"), "mbart-cc25": ("source_last", "first_input")}[convention]
    assert card["language_symbols"] == {"source": places[0], "target": places[1], "symbols": SYMBOLS}
    assert card["text_model"] == {
        "convention": convention,
        "name": "tiny",
        "hash": hash_file(pruned.parents[1] / "tiny" / "sentence.bpe.model"),
        "kept_pieces": num_kept,
        "pieces": 45,
        "coverage": 1.0,
        "license": None,
    }
    sizes = card["dictionary"]
    assert (sizes["unit_subwords"], sizes["source_subwords"], sizes["target_subwords"]) == (68, num_kept, num_kept)
    assert (sizes["first_unit_subword"], sizes["first_source_subword"]) == (4 + len(target), 4)
    assert len(source) == len(target) + 68
    assert card["signature"] == f"?|L?|k?|dedup|spm68+{convention}:{num_kept}|x4|v{card['version']}"
    assert read_card(whole, "binarize")["text_model"]["kept_pieces"] == 45
    for name in ("source", "target"):
        assert card["hashes"][f"subwords/{name}.model"]["sha256"] == card["text_model"]["hash"]


def test_the_subwords_card_describes_the_text_model(pruned: Path, convention: str):
    card = read_card(pruned / "subwords", "subwords")
    assert card["escapes"] is False
    assert card["text_model"]["symbols"] == language_symbols(convention)
    assert (card["unit_subwords"], card["source_subwords"], card["target_subwords"]) == (68, 45, 45)


def test_the_table_counts_pieces_and_tokens(pruned: Path, whole: Path, capsys: pytest.CaptureFixture[str]):
    folder = pruned.parent
    folders = ["--manifest-dir", folder / "manifest", "--units-dir", folder / "units"]
    run_preprocess("binarize", *folders, "--subwords", folder / "subwords", "--out", folder / "again")
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    [start] = [i for i, cells in enumerate(table) if cells[:3] == ["text", "pieces", "used"]]
    tokens = {"source": [], "target": []}
    for split, manifest in (("train", "train"), ("valid", "dev"), ("test", "test")):
        tokens["target"] += [s for symbols in read_back(whole, f"{split}.st.tgt", "tgt") for s in symbols[1:-1]]
        text = read_back(whole, f"{split}.mt.src", "src")
        tokens["source"] += [s for symbols in text for s in symbols if s not in ("</s>", "en_XX")]
        assert len(text) == len(rows_with_text(whole, manifest))
    tokens["both"] = tokens["source"] + tokens["target"]
    num_kept = str(len(set(tokens["both"])))
    for row, (side, found) in zip(table[start + 1 :], tokens.items(), strict=False):
        assert row == [side, str(len(set(found))), num_kept, "45", str(len(found)), str(len(found)), "0"]


@pytest.fixture
def subwords(pruned: Path) -> Subwords:
    return Subwords.load(pruned / "subwords")


def make_encoder(subwords: Subwords, kept: set[str] | None) -> TokenEncoder:
    symbols = find_language_symbols(Languages(("en",), ("fr",)), subwords.text_model)
    assert isinstance(symbols, LanguageSymbols)
    return TokenEncoder(subwords, make_dictionaries(subwords, symbols, kept), symbols, repeat=2)


def test_a_unit_never_becomes_unknown(subwords: Subwords):
    for kept in (None, set()):
        encoder = make_encoder(subwords, kept)
        ids = encoder.speech([[unit] for unit in range(NUM_UNITS)], [("en", "fr")] * NUM_UNITS)
        assert 3 not in np.concatenate(ids)
        assert len({tuple(row) for row in ids}) == NUM_UNITS


def test_a_piece_that_was_not_kept_is_an_error_and_never_unknown(subwords: Subwords):
    encoder = make_encoder(subwords, {"▁red"})
    assert len(encoder.transcript(["red"])[0]) == 2
    with pytest.raises(VocabularyError, match=r"the piece '▁cat' of 'red cat' is not in the dictionary"):
        encoder.transcript(["red cat"])


def test_what_the_text_model_itself_does_not_know_is_unknown_and_counted(
    pruned: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    folder = pruned.parent
    (tmp_path / "manifest").mkdir()
    for path in (folder / "manifest").glob("*.tsv"):
        (tmp_path / "manifest" / path.name).write_bytes(path.read_bytes().replace(b"\tred\t", "\t漢\t".encode()))
    folders = ["--manifest-dir", tmp_path / "manifest", "--units-dir", folder / "units"]
    run_preprocess("binarize", *folders, "--subwords", folder / "subwords", "--out", tmp_path / "data-bin")
    unknown = sum(ids.count(3) for ids in read_ids(tmp_path / "data-bin", "train.mt.src"))
    assert f"train.mt: {unknown} source tokens are <unk>" in caplog.text
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["source"]]
    num_rows = sum(row.src_text == "漢" for split in ("train", "dev", "test") for row in rows_of(tmp_path, split))
    assert int(line.split()[-1]) == num_rows >= unknown // 4 > 0


def rows_of(folder: Path, split: str) -> list[Utterance]:
    return read_manifest(folder / "manifest" / f"{split}.tsv", check_audio=False)


def test_a_language_that_the_model_lacks_leaves_no_data_bin(
    pruned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = pruned.parent
    (tmp_path / "manifest").mkdir()
    for path in (folder / "manifest").glob("*.tsv"):
        (tmp_path / "manifest" / path.name).write_bytes(path.read_bytes().replace(b"\tde\t", b"\tga\t"))
    folders = ["--manifest-dir", tmp_path / "manifest", "--units-dir", folder / "units"]
    options = [*folders, "--subwords", folder / "subwords", "--out", tmp_path / "data-bin"]
    assert main(["binarize", *map(str, options)]) == 1
    assert "error: the text model tiny has no language 'ga'; it has ar_AR, " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["manifest"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--text-model", "TINY", "--source-text", "x"], "brings its own text pieces; leave out --source-text, or"),
        (["--text-model", "TINY", "--target-vocab", "9"], "brings its own text pieces; leave out --target-vocab, or"),
        (["--source-text", "x"], "--target-text must be given, or --text-model"),
        ([], "--source-text and --target-text must be given, or --text-model"),
        (["--text-model", "UNITS"], "units is no text model: expected config.json"),
    ],
)
def test_options_that_do_not_fit_write_nothing(
    pruned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
):
    paths = {"TINY": str(pruned.parents[1] / "tiny"), "UNITS": str(pruned.parent / "units")}
    options = [paths.get(word, word) for word in options]
    units = ["--units", str(pruned.parent / "units" / "train.units"), "--unit-vocab", "68"]
    assert main(["subwords", *units, *options, "--out", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
