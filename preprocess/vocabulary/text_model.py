"""A pretrained text model as its users have it: its kind, and its SentencePiece models. Weights are not read here.

A folder or hub name of Hugging Face of one of the families of `files/text_models.py`, or fairseq's release of mBART.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import VocabularyError
from ..files.cards.stage_cards import TextModelEntry
from ..files.program.hub import HubError, resolve_folder
from ..files.reading.sentencepiece_model import read_sentencepiece
from ..files.text_models import (
    ALL_TOKENIZER_FILES,
    CONFIG_FILE,
    DESCRIBING_FILES,
    explain_refusal,
    forbids_commercial_use,
    hash_tokenizer,
    read_license,
)
from .m2m_100 import find_m2m_100
from .mbart import find_fairseq_mbart, find_mbart
from .opus_mt import find_opus_mt
from .tokenizer_files import Tokenizer, listing, model_pieces, read_object

logger = logging.getLogger(__name__)

FINDERS: dict[object, Callable[[Path, str, dict[str, object]], Tokenizer]] = {  # by model_type
    "mbart": find_mbart,
    "m2m_100": find_m2m_100,
    "marian": find_opus_mt,
}


@dataclass(frozen=True)
class TextModelVocabulary:
    """Kind and pieces of a text model, which is all that preprocess needs of it.

    Attributes:
        name: of the folder, or the hub's.
        tokenizer: its files.
        num_pieces: of `source` and `target` text, without <unk> and control symbols.
        license: that its README names; None: it names none.
    """

    name: str
    tokenizer: Tokenizer
    num_pieces: dict[str, int]
    license: str | None

    @property
    def convention(self) -> str:
        """A key of languages.CONVENTIONS."""
        return self.tokenizer.convention

    @property
    def sentencepiece_paths(self) -> dict[str, Path]:
        """Files of the models of `source` and `target` text; one file, but for Opus-MT."""
        return {"source": self.tokenizer.source, "target": self.tokenizer.target}

    def as_entry(self) -> TextModelEntry:
        """Entry `text_model` of the card of the subwords."""
        return TextModelEntry(
            convention=self.convention,
            name=self.name,
            hash=hash_tokenizer(self.tokenizer.files),
            symbols=self.tokenizer.symbols,
            pieces=self.num_pieces["target"],
            unknown_pieces=self.tokenizer.unknown_pieces,
            languages=self.tokenizer.languages,
            license=self.license,
        )


def find_text_model(source: str | Path) -> TextModelVocabulary:
    """Describe the text model in a folder, or of a hub name.

    Raises:
        VocabularyError: it cannot be found, is of no known family, lacks its tokenizer, or its files do not fit
            together.
    """
    folder = _find_folder(source)
    name = folder.resolve().name if Path(source).is_dir() else str(source)
    tokenizer = _find_tokenizer(folder, name)
    paths = {"source": tokenizer.source, "target": tokenizer.target}
    num_pieces = {side: len(model_pieces(read_sentencepiece(path))) for side, path in paths.items()}
    license_name = read_license(folder)
    logger.info("%s: %s, %d pieces, licence %s", source, tokenizer.convention, num_pieces["target"], license_name)
    if tokenizer.unknown_pieces:
        logger.warning("%s: %d pieces have no embedding and are <unk>", source, len(tokenizer.unknown_pieces))
    if forbids_commercial_use(license_name):
        logger.warning(
            "%s: its licence, %s, forbids commercial use, also of what is trained from it", source, license_name
        )
    return TextModelVocabulary(name, tokenizer, num_pieces, license_name)


def _find_tokenizer(folder: Path, name: str) -> Tokenizer:
    if (folder / CONFIG_FILE).is_file():
        config = read_object(folder / CONFIG_FILE)
        find = FINDERS.get(config.get("model_type"))
        if find is None:
            raise VocabularyError(explain_refusal(config.get("model_type")), place=folder / CONFIG_FILE)
        return find(folder, name, config)
    if (folder / "model.pt").is_file():
        return find_fairseq_mbart(folder)
    raise VocabularyError(
        f"{folder} is no text model: expected config.json (Hugging Face) or model.pt (fairseq's release of mBART) "
        f"there, found {listing(folder)}"
    )


def _find_folder(source: str | Path) -> Path:
    try:
        return resolve_folder(source, [*DESCRIBING_FILES, *ALL_TOKENIZER_FILES])
    except HubError as error:
        raise VocabularyError(f"--text-model {error.found}") from error
