"""The JSON files of a model folder: its card, and the options of its models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Self

import msgspec

from preprocess.errors import CardError, FileError, MismatchError, OptionError
from preprocess.files.cards.card import CARD_NAME, Card
from preprocess.files.cards.data_bin_card import KeptTextModel
from preprocess.files.hashing import hash_file
from preprocess.files.languages import Languages
from preprocess.files.reading.json_file import read_json

from .errors import ModelFolderError
from .generation import GenerationOptions

CONFIG_NAME = "config.json"
README_NAME = "README.md"
COPY_AGAIN = "copy or export the folder again"
EXPORT_AGAIN = "make the model folder again by `hmst export`"


@dataclass(frozen=True)
class EncoderEntry:
    """The speech encoder that makes the units.

    Attributes:
        name: such as `wavlm-large`; `mfcc` where there is none.
        layer: whose output the frames are, from 1; 0 where there are no layers.
        hash: SHA-256 of its weights, or of what else decides the frames.
        hub_name: on the Hugging Face hub; None: not known.
        included: whether it lies in the folder.
    """

    name: str
    layer: int
    hash: str
    hub_name: str | None
    included: bool

    @property
    def is_mfcc(self) -> bool:
        """Whether the units need no speech encoder."""
        return self.name == "mfcc"

    @property
    def must_be_named(self) -> bool:
        """Whether who translates must say where it lies: it is neither in the folder nor on the hub."""
        return not (self.is_mfcc or self.included or self.hub_name)


@dataclass(frozen=True)
class Versions:
    """Versions of the packages that wrote the folder."""

    fairseq_hmst: str
    torch: str


@dataclass(frozen=True, kw_only=True)
class ModelCard(Card):
    """Card of a model folder.

    Attributes:
        architectures: family of each model.
        averaged_checkpoints: checkpoints whose mean the first model is.
        parameters: of all models.
        decodings: those that every model has a head for.
        languages: of the data-bin.
        signature: of the data-bin.
        text_model: whose pieces the data-bin has; None: its pieces were trained.
        encoder: of the speech; None: not known, and the model translates units and text alone.
        versions: of the packages that wrote it.
        scores: any JSON value, as `hmst score` prints it; None: none were given.
        long_training_seconds: 95th percentile of the lengths of training speech; None: not known, or a folder of a
            version that did not write it.
        readme_hash: SHA-256 of the README.md as it was written, which a person may edit.
    """

    command: ClassVar[str] = "hmst export"
    needed: ClassVar[tuple[str, ...]] = (CONFIG_NAME, f"data/{CARD_NAME}")

    stage: Literal["model"] = "model"
    format_version: Literal[2] = 2
    architectures: tuple[str, ...]
    averaged_checkpoints: int
    parameters: int
    decodings: tuple[str, ...]
    languages: Languages
    signature: str
    text_model: KeptTextModel | None = None
    encoder: EncoderEntry | None
    versions: Versions
    scores: object
    long_training_seconds: float | None = None
    readme_hash: str = ""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read FOLDER/card.json.

        Raises:
            ModelFolderError: there is no such card, it is not of this kind and version, or it has changed.
        """
        try:
            return super().read(folder)
        except MismatchError as error:
            raise ModelFolderError.of(error, COPY_AGAIN) from error
        except CardError as error:
            raise ModelFolderError.of(error, EXPORT_AGAIN) from error

    @classmethod
    def names_in(cls, content: Mapping[str, object]) -> frozenset[str]:
        """Names of all files of the folder."""
        return super().names_in(content) | {README_NAME}

    @classmethod
    def find_foreign(cls, folder: Path) -> list[str]:
        """Files in the folder that are not of the export; an edited README.md or card.json is one."""
        found, content = super().find_foreign(folder), cls._read_content(folder / CARD_NAME)
        readme = folder / README_NAME
        if readme.is_file() and hash_file(readme) != content.get("readme_hash"):
            found.append(README_NAME)
        return sorted(found)


@dataclass(frozen=True)
class ModelEntry:
    """One model of a folder: its file of weights, and the options that build it."""

    file: str
    options: Mapping[str, object]

    @property
    def family(self) -> str:
        """The registered name of the model's class; "" where the options name none."""
        return str(self.options.get("_name", ""))


@dataclass(frozen=True)
class ModelConfig:
    """Content of config.json.

    Attributes:
        models: one, or those of an ensemble.
        generation: defaults of decoding.
    """

    models: tuple[ModelEntry, ...]
    generation: GenerationOptions = field(default_factory=GenerationOptions)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read FOLDER/config.json.

        Raises:
            ModelFolderError: there is no such file, or it is not in its form.
        """
        path = folder / CONFIG_NAME
        try:
            return read_json(path, cls)
        except (FileError, OptionError) as error:
            found = error.found if isinstance(error, FileError) else str(error)
            raise ModelFolderError(found, place=path, advice=EXPORT_AGAIN) from error

    def write(self, folder: Path) -> None:
        """Write FOLDER/config.json."""
        content = msgspec.json.format(msgspec.json.encode(self), indent=2)
        (folder / CONFIG_NAME).write_bytes(content + b"\n")
