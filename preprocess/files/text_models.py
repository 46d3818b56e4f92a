"""Families of text models that can be started from, and models that are refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError
from .hashing import hash_file, hash_text
from .reading.json_file import read_json

CONFIG_FILE, TOKENIZER_CONFIG_FILE, README_FILE = "config.json", "tokenizer_config.json", "README.md"
TARGET_VOCABULARY_FILE = "target_vocab.json"  # of an Opus-MT with two vocabularies
# of Hugging Face's folders; a download brings them, and no weights
DESCRIBING_FILES = (CONFIG_FILE, TOKENIZER_CONFIG_FILE, README_FILE, TARGET_VOCABULARY_FILE)


@dataclass(frozen=True)
class TextModelFamily:
    """A class of transformers, and the models of it.

    Attributes:
        model_type: of config.json.
        class_name: in transformers.
        models: that have it, in words.
        tokenizer_files: that its folders have; those in a model of this family that lacks them are not asked for.
    """

    model_type: str
    class_name: str
    models: str
    tokenizer_files: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.model_type} ({self.class_name}: {self.models})"


FAMILIES = {
    family.model_type: family
    for family in (
        TextModelFamily("mbart", "MBartForConditionalGeneration", "mBART", ("sentencepiece.bpe.model",)),
        TextModelFamily(
            "m2m_100",
            "M2M100ForConditionalGeneration",
            "M2M-100 and dense NLLB",
            ("sentencepiece.bpe.model", "vocab.json"),
        ),
        TextModelFamily("marian", "MarianMTModel", "Opus-MT", ("source.spm", "target.spm", "vocab.json")),
    )
}
ALL_TOKENIZER_FILES = tuple(dict.fromkeys(name for family in FAMILIES.values() for name in family.tokenizer_files))
RELATIVE_POSITIONS = "its attention has relative positions"
REASONS = {  # for which a model_type is refused
    "nllb-moe": "its layers are mixtures of experts",
    "switch_transformers": "its layers are mixtures of experts",
    "t5": RELATIVE_POSITIONS,
    "mt5": RELATIVE_POSITIONS,
    "umt5": RELATIVE_POSITIONS,
    "longt5": RELATIVE_POSITIONS,
}


def explain_refusal(model_type: object) -> str:
    """A sentence about a model_type that is not taken: the reason where it is known, and what is taken."""
    reason = f", which cannot be taken, since {REASONS[model_type]}" if model_type in REASONS else ""
    return f"expected model_type {_listed([str(family) for family in FAMILIES.values()])}, found {model_type}{reason}"


def hash_tokenizer(paths: Sequence[Path]) -> str:
    """SHA-256 of the file of a tokenizer; of several files, that of the list of theirs."""
    hashes = [hash_file(path) for path in paths]
    return hashes[0] if len(hashes) == 1 else hash_text("\n".join(hashes))


@dataclass(frozen=True)
class _Config:
    vocab_size: object = None
    decoder_vocab_size: object = None  # read where the decoder has a table of its own
    share_encoder_decoder_embeddings: bool | None = True
    tie_word_embeddings: bool | None = True

    @property
    def has_two_sizes(self) -> bool:
        is_one_table = self.share_encoder_decoder_embeddings and self.tie_word_embeddings
        return not is_one_table and self.decoder_vocab_size not in (None, self.vocab_size)


@dataclass(frozen=True)
class _TokenizerConfig:
    separate_vocabs: bool | None = False


def check_one_vocabulary(folder: Path) -> None:
    """Refuse an Opus-MT whose source texts and translations have vocabularies of their own.

    Tables of their own, of one vocabulary (`share_encoder_decoder_embeddings: false`), are none.

    Raises:
        FileError: so it is, or a file that would tell cannot be read.
    """
    config = read_json(folder / CONFIG_FILE, _Config)
    tokenizer = _TokenizerConfig()
    if (folder / TOKENIZER_CONFIG_FILE).is_file():
        tokenizer = read_json(folder / TOKENIZER_CONFIG_FILE, _TokenizerConfig)
    reasons = {
        f"there is {TARGET_VOCABULARY_FILE}": (folder / TARGET_VOCABULARY_FILE).is_file(),
        f"{TOKENIZER_CONFIG_FILE} has separate_vocabs": bool(tokenizer.separate_vocabs),
        f"vocab_size is {config.vocab_size}, decoder_vocab_size {config.decoder_vocab_size}": config.has_two_sizes,
    }
    found = [reason for reason, is_so in reasons.items() if is_so]
    if found:
        raise FileError(
            f"has a vocabulary for source text and one for translations ({'; '.join(found)}); expected one for both",
            place=folder,
            advice="take a model with one vocab.json",
        )


def read_license(folder: Path) -> str | None:
    """The licence that the README of a model's folder names.

    It is in the front matter, between lines of `---` at the beginning.
    """
    path = folder / README_FILE
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or lines[0].strip() != "---":
        return None
    return _license_in(lines[1:])


def forbids_commercial_use(license_name: str | None) -> bool:
    """Whether a licence such as `cc-by-nc-4.0` says so in its name."""
    return license_name is not None and "nc" in license_name.lower().split("-")


def _license_in(lines: Iterable[str]) -> str | None:
    is_list = False
    for line in lines:
        key, _, value = line.partition(":")
        if line.strip() == "---":
            break
        if is_list:
            return line.strip().lstrip("- ").strip("'\"") or None
        if key == "license" and value.strip():
            return value.strip().strip("[]'\"") or None
        is_list = key == "license"
    return None


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
