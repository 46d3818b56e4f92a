"""What a text model is found to be, for the forms in which it is published and for folders at fault."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_mbart import CONVENTIONS, language_symbols, tokenizer_config, train_sentencepiece, write_fairseq_mbart
from tiny_text_models import CONVENTIONS as OTHER_CONVENTIONS
from tiny_text_models import OPUS_SYMBOLS, write_m2m_tokenizer, write_opus_tokenizer

from preprocess.errors import VocabularyError
from preprocess.files.hashing import hash_file
from preprocess.files.languages import CONVENTIONS as KINDS
from preprocess.vocabulary.text_model import find_text_model


@pytest.fixture(scope="module")
def sentencepiece_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "spm"
    path.write_bytes(train_sentencepiece())
    return path


@pytest.fixture
def make_folder(tmp_path: Path, sentencepiece_file: Path) -> Callable[..., Path]:
    """Hugging Face folders without weights, which preprocess does not read."""

    def make(convention: str, tokenizer: dict[str, Any] | None = None, **config: object) -> Path:
        from sentencepiece import SentencePieceProcessor

        folder = tmp_path / "mbart"
        folder.mkdir()
        shutil.copy(sentencepiece_file, folder / "sentencepiece.bpe.model")
        num_pieces = SentencePieceProcessor(model_file=str(sentencepiece_file)).get_piece_size()
        size = num_pieces + 2 + len(language_symbols(convention))
        (folder / "config.json").write_text(json.dumps({"model_type": "mbart", "vocab_size": size} | config))
        if tokenizer is not None:
            (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
        return folder

    return make


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_vocabulary_size_tells_the_convention_with_and_without_a_tokenizer_config(
    make_folder: Callable[..., Path], convention: str
):
    folder = make_folder(convention)
    found = find_text_model(folder)
    assert (found.convention, found.name) == (convention, "mbart")
    assert list(found.as_entry().symbols) == language_symbols(convention)
    assert found.as_entry().hash == hash_file(folder / "sentencepiece.bpe.model")
    # As published: the tokenizer of many an mBART-50 says that it is an MBartTokenizer.
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config("mbart-cc25")))
    assert find_text_model(str(folder)).convention == convention


def test_the_real_vocabulary_sizes_are_those_of_250_000_pieces():
    assert [250_000 + 1 + len(KINDS[name].symbols) + 1 for name in CONVENTIONS] == [250_027, 250_054]


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_rows_added_to_a_vocabulary_leave_the_tokenizer_to_tell(
    make_folder: Callable[..., Path], convention: str, caplog: pytest.LogCaptureFixture
):
    folder = make_folder(convention, tokenizer_config(convention), vocab_size=1000)
    assert find_text_model(folder).convention == convention
    assert f"rows of the vocabulary were added to {convention}" in caplog.text
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(VocabularyError, match=r"do not fit together: with 48 pieces vocab_size must be 75 .* or 102"):
        find_text_model(folder)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_fairseqs_release_is_known_by_its_list_of_languages(tmp_path: Path, convention: str):
    found = find_text_model(write_fairseq_mbart(tmp_path / "release", convention))
    assert (found.convention, found.name, found.num_pieces["source"]) == (convention, "release", 45)
    assert found.tokenizer.source.name == "sentence.bpe.model"


def test_a_list_of_other_languages_is_refused(tmp_path: Path):
    folder = write_fairseq_mbart(tmp_path / "release", "mbart-50")
    (folder / "ML50_langs.txt").write_text("en_XX\nde_DE\n")
    with pytest.raises(VocabularyError, match=r"ML50_langs\.txt: expected the 52 languages .* found 2: en_XX de_DE"):
        find_text_model(folder)


def test_a_dictionary_of_another_model_is_refused(tmp_path: Path):
    folder = write_fairseq_mbart(tmp_path / "release", "mbart-cc25")
    lines = (folder / "dict.txt").read_text(encoding="utf-8").split("\n")
    (folder / "dict.txt").write_text("\n".join(lines[2:]), encoding="utf-8")
    piece = lines[0].split()[0]
    with pytest.raises(VocabularyError, match=rf"dict\.txt lacks 2 pieces of .*sentence\.bpe\.model, .* '{piece}'"):
        find_text_model(folder)
    (folder / "dict.txt").unlink()
    with pytest.raises(VocabularyError, match=r"lacks the dictionary, dict\.txt or dict\.en_XX\.txt; found model\.pt"):
        find_text_model(folder)


def test_a_folder_without_model_or_tokenizer_says_what_it_holds(tmp_path: Path, make_folder: Callable[..., Path]):
    (tmp_path / "empty").mkdir()
    with pytest.raises(VocabularyError, match=r"empty is no text model: expected config\.json .* found nothing"):
        find_text_model(tmp_path / "empty")
    folder = make_folder("mbart-50")
    (folder / "sentencepiece.bpe.model").unlink()
    with pytest.raises(VocabularyError, match=r"lacks the tokenizer, sentencepiece\.bpe\.model; found config\.json;"):
        find_text_model(folder)


def test_another_kind_of_model_is_refused(make_folder: Callable[..., Path]):
    folder = make_folder("mbart-50", model_type="bart")
    with pytest.raises(
        VocabularyError, match=r"config\.json: expected model_type mbart .*, m2m_100 .* or marian .*, found bart"
    ):
        find_text_model(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(VocabularyError, match=r"config\.json: not valid JSON"):
        find_text_model(folder)
    (folder / "config.json").write_text("[]")
    with pytest.raises(VocabularyError, match=r"config\.json: expected a JSON object, found list"):
        find_text_model(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"cannot be read as a SentencePiece model: it holds no pieces"),
        (b"not a model", r"cannot be read as a SentencePiece model: "),
        (b"version https://git-lfs.github.com/spec/v1\n", r"it is a git-lfs pointer: run git lfs pull there"),
    ],
)
def test_a_tokenizer_that_does_not_parse_is_refused(make_folder: Callable[..., Path], content: bytes, message: str):
    folder = make_folder("mbart-50")
    (folder / "sentencepiece.bpe.model").write_bytes(content)
    with pytest.raises(VocabularyError, match=rf"sentencepiece\.bpe\.model: .*{message}"):
        find_text_model(folder)


def test_a_truncated_tokenizer_is_refused(make_folder: Callable[..., Path], sentencepiece_file: Path):
    folder = make_folder("mbart-50")
    content = sentencepiece_file.read_bytes()
    for size in (len(content) // 3, len(content) // 2, len(content) - 1):
        (folder / "sentencepiece.bpe.model").write_bytes(content[:size])
        with pytest.raises(VocabularyError):
            find_text_model(folder)


def test_a_tokenizer_of_another_model_is_refused(make_folder: Callable[..., Path]):
    from preprocess.vocabulary.training import train_model

    folder = make_folder("mbart-50")
    (folder / "sentencepiece.bpe.model").write_bytes(train_model(["a b c"], 4, "", is_text=True))
    with pytest.raises(VocabularyError, match=r"expected <unk> <s> </s> at the ids 0 1 2, .* found them at 0 -1 -1"):
        find_text_model(folder)
    (folder / "sentencepiece.bpe.model").write_bytes(train_sentencepiece(num_pieces=44))
    with pytest.raises(VocabularyError, match=r"with 44 pieces vocab_size must be 71 .*98 .*found 102"):
        find_text_model(folder)


def test_a_hub_name_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import huggingface_hub

    def refuse(name: str, allow_patterns: list[str]) -> str:
        raise OSError(f"cannot reach {name}")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(VocabularyError, match=r"--text-model 'facebook/mbart-x' is neither a folder nor a hub name"):
        find_text_model("facebook/mbart-x")


def test_a_hub_name_fetches_the_tokenizer_and_not_the_weights(
    monkeypatch: pytest.MonkeyPatch, make_folder: Callable[..., Path]
):
    import huggingface_hub

    folder = make_folder("mbart-50")
    asked: list[str] = []

    def fetch(name: str, allow_patterns: list[str]) -> str:
        asked.extend(allow_patterns)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    assert find_text_model("facebook/mbart-large-50").name == "facebook/mbart-large-50"
    assert {"config.json", "sentencepiece.bpe.model", "tokenizer_config.json", "vocab.json", "source.spm"} <= set(asked)
    assert not any(name.endswith((".bin", ".safetensors")) for name in asked)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Tokenizers of the other families with their config.json; preprocess reads no weights."""

    def make(convention: str) -> Path:
        folder = tmp_path / "model"
        folder.mkdir()
        writer, model_type = write_m2m_tokenizer, "m2m_100"
        if convention.startswith("opus"):
            writer, model_type = write_opus_tokenizer, "marian"
        size = writer(folder, convention)
        (folder / "config.json").write_text(json.dumps({"model_type": model_type, "vocab_size": size}))
        return folder

    return make


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


@pytest.mark.parametrize("convention", OTHER_CONVENTIONS)
def test_other_families_are_known_by_their_files(write: Callable[[str], Path], convention: str):
    folder = write(convention)
    found = find_text_model(folder)
    assert found.convention == convention
    entry = found.as_entry()
    assert entry.symbols == (KINDS[convention].symbols or (OPUS_SYMBOLS if convention == "opus-mt-several" else ()))
    assert len(entry.unknown_pieces) == int(not convention.startswith("nllb"))
    assert entry.languages == {"opus-mt": ("en", "fr"), "opus-mt-several": ("en", "roa")}.get(convention)
    names = {"source.spm", "target.spm"} if convention.startswith("opus") else {"sentencepiece.bpe.model"}
    assert {path.name for path in found.sentencepiece_paths.values()} == names
    change(folder / "config.json", vocab_size=20)
    with pytest.raises(VocabularyError, match=r"do not fit together: .* rows, but vocab_size is 20"):
        find_text_model(folder)


def test_a_folder_of_opus_mt_that_says_no_pair_is_known_by_its_name(write: Callable[[str], Path]):
    folder = write("opus-mt")
    (folder / "tokenizer_config.json").unlink()
    assert find_text_model(folder).as_entry().languages is None
    folder = folder.rename(folder.parent / "opus-mt-en-de")
    assert find_text_model(folder).as_entry().languages == ("en", "de")


@pytest.mark.parametrize(
    ("convention", "file"),
    [("nllb-200", "sentencepiece.bpe.model"), ("m2m-100", "vocab.json"), ("opus-mt", "target.spm")],
)
def test_a_fast_tokenizer_alone_is_refused(write: Callable[[str], Path], convention: str, file: str):
    folder = write(convention)
    (folder / file).rename(folder / "tokenizer.json")
    with pytest.raises(VocabularyError, match=rf"lacks the tokenizer, {file}; .*; tokenizer\.json alone is not enough"):
        find_text_model(folder)


def test_what_other_families_may_not_have(write: Callable[[str], Path]):
    folder = write("opus-mt")
    change(folder / "config.json", share_encoder_decoder_embeddings=False)
    assert find_text_model(folder)
    message = r"has a vocabulary for source text and one for translations \(vocab_size is \d+, decoder_vocab_size 99\)"
    change(folder / "config.json", decoder_vocab_size=99)
    with pytest.raises(VocabularyError, match=message):
        find_text_model(folder)
    change(folder / "config.json", share_encoder_decoder_embeddings=True)  # then the number is read nowhere
    assert find_text_model(folder)
    change(folder / "tokenizer_config.json", separate_vocabs=True)
    with pytest.raises(VocabularyError, match=r"tokenizer_config\.json has separate_vocabs"):
        find_text_model(folder)
    change(folder / "tokenizer_config.json", separate_vocabs=False)
    (folder / "target_vocab.json").touch()
    with pytest.raises(VocabularyError, match=r"there is target_vocab\.json"):
        find_text_model(folder)
    (folder / "target_vocab.json").unlink()
    rows = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    (folder / "vocab.json").write_text(json.dumps(rows | {"<pad>": 3}))
    with pytest.raises(VocabularyError, match=r"vocab\.json: two pieces have one number"):
        find_text_model(folder)
    rows.pop("<pad>")
    (folder / "vocab.json").write_text(json.dumps(rows))
    with pytest.raises(VocabularyError, match=r"vocab\.json: lacks <pad>"):
        find_text_model(folder)


@pytest.mark.parametrize(
    ("model_type", "reason"), [("nllb-moe", "mixtures of experts"), ("t5", "relative positions"), ("mt5", "relative")]
)
def test_what_cannot_be_taken_is_refused_by_name(write: Callable[[str], Path], model_type: str, reason: str):
    folder = write("m2m-100")
    change(folder / "config.json", model_type=model_type)
    with pytest.raises(VocabularyError, match=rf"MarianMTModel.*, found {model_type}, which cannot be taken.*{reason}"):
        find_text_model(folder)


@pytest.mark.parametrize(
    ("readme", "license_name", "is_warned"),
    [
        ("---\nlanguage: en\nlicense: cc-by-nc-4.0\n---\n# NLLB\n", "cc-by-nc-4.0", True),
        ("---\nlicense:\n- mit\ntags:\n- x\n---\n", "mit", False),
        ("# license: mit\n", None, False),
        ("---\ntags: x\n---\nlicense: mit\n", None, False),
    ],
)
def test_the_licence_is_that_of_the_readme(
    write: Callable[[str], Path],
    readme: str,
    license_name: str | None,
    is_warned: bool,
    caplog: pytest.LogCaptureFixture,
):
    folder = write("m2m-100")
    (folder / "README.md").write_text(readme)
    assert find_text_model(folder).as_entry().license == license_name
    assert ("forbids commercial use" in caplog.text) == is_warned
