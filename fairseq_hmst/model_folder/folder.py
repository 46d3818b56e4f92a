"""A trained model with all that translating needs, in formats that hold no code.

    MODEL/
      card.json            what it is made of, scores, and the SHA-256 of every other file
      config.json          configuration of the model, defaults of decoding, names of the weight files
      model.safetensors    weights; model-1.safetensors, model-2.safetensors ... of an ensemble
      data/                the data-bin without its streams: dictionaries, SentencePiece models, centroids
      encoder/             the speech encoder, where it was included
      examples/            recordings to try it with, where some were given
      README.md            a model card, which a person may edit

`fairseq_hmst.export` writes it. Every hash is checked before a file is used; files that the card does not name are not
looked at.
"""

import contextlib
import fnmatch
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from omegaconf import OmegaConf
from safetensors import safe_open
from safetensors.torch import save_model

from preprocess.errors import MismatchError, NotFiniteError, UserError
from preprocess.files.cards.card import CARD_NAME
from preprocess.files.program.hub import HubError, resolve_folder
from preprocess.files.reading.finite import check_finite

from ..data.data_bin import DataBinError
from ..tasks.config import HmstTranslationConfig
from ..tasks.hmst_translation import HmstTranslationTask
from .card import CONFIG_NAME, COPY_AGAIN, EncoderEntry, ModelCard, ModelConfig, ModelEntry
from .errors import ModelFolderError
from .families import FAMILIES
from .json_files import read_object

if TYPE_CHECKING:
    from ..models.hmst_model import HmstModel

DATA_NAME = "data"
ENCODER_NAME = "encoder"
EXAMPLES_NAME = "examples"
EXAMPLE_SUFFIXES = (".flac", ".mp3", ".ogg", ".opus", ".wav")
# what a download may bring: no other file is ever read, and none of these holds code
ALLOWED_PATTERNS = ["*.json", "*.safetensors", "*.model", "*.npz", "*.txt", "*.md"]
ALLOWED_PATTERNS += [f"{EXAMPLES_NAME}/*{suffix}" for suffix in EXAMPLE_SUFFIXES]


@dataclass(frozen=True)
class ModelFolder:
    """A folder whose files were checked against its card; see `open`."""

    path: Path
    card: ModelCard
    config: ModelConfig

    @classmethod
    def open(cls, name: str | Path) -> "ModelFolder":
        """Check a folder, downloaded first where it is a name on the Hugging Face hub.

        Args:
            name: a folder, or a name on the hub, from whose cache it is taken if it is there.

        Raises:
            ModelFolderError: it is neither; or a file is missing, broken, changed, or of another format.
        """
        path = _find(name)
        if not (path / CARD_NAME).is_file():
            raise ModelFolderError(f"is not a whole model folder: it has no {CARD_NAME}", place=path)
        card = ModelCard.read(path)
        for file in card.hashes:
            if not any(fnmatch.fnmatch(file, pattern) for pattern in ALLOWED_PATTERNS):
                found = f"names a file of a kind that a model folder does not have: {file}"
                raise ModelFolderError(found, place=path / CARD_NAME)
        try:
            card.check_hashes(path)
        except MismatchError as error:
            raise ModelFolderError.of(error, COPY_AGAIN) from error
        return cls(path, card, ModelConfig.read(path))

    def has(self, name: str) -> bool:
        """Whether the card names a file, which then was checked."""
        return name in self.card.hashes

    @property
    def data(self) -> Path:
        """The data-bin without streams."""
        return self.path / DATA_NAME

    @property
    def examples(self) -> list[Path]:
        """Recordings to try the model with, by name; none where none were given."""
        names = (name for name in self.card.hashes if name.startswith(f"{EXAMPLES_NAME}/"))
        return [self.path / name for name in sorted(names)]

    @property
    def kmeans(self) -> Path | None:
        """The k-means; None for a model that translates units and text alone."""
        return self.data / "kmeans" if self.has(f"{DATA_NAME}/kmeans/{CARD_NAME}") else None

    @property
    def encoder_entry(self) -> EncoderEntry:
        """Entry of the card on the speech encoder.

        Raises:
            ModelFolderError: the card has none, though the folder has a k-means.
        """
        if self.card.encoder is None:
            raise ModelFolderError("has a k-means but no encoder of its frames", place=self.path, advice=COPY_AGAIN)
        return self.card.encoder

    @property
    def uses_mfcc(self) -> bool:
        """Whether its units need no speech encoder."""
        return self.card.encoder is not None and self.card.encoder.is_mfcc

    @property
    def encoder(self) -> Path | None:
        """The folder of the speech encoder, where it was included.

        Raises:
            ModelFolderError: there are other files beside it, which transformers might read, or it names code.
        """
        if self.card.encoder is None or not self.card.encoder.included:
            return None
        folder = self.path / ENCODER_NAME
        for path in sorted(folder.iterdir()):
            if not self.has(f"{ENCODER_NAME}/{path.name}"):
                raise ModelFolderError(f"{CARD_NAME} does not name it", place=path, advice="remove it")
            content = read_object(path) if path.suffix == ".json" else {}
            if "auto_map" in content:
                raise ModelFolderError("names code to be run ('auto_map'); no model folder needs any", place=path)
            parts = content.get("weight_map")  # of an index of weights, which transformers follows
            for name in parts.values() if isinstance(parts, dict) else ():
                if not self.has(f"{ENCODER_NAME}/{name}"):
                    raise ModelFolderError(f"names weights that {CARD_NAME} does not: {name}", place=path)
        return folder

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """Turn any error of the block, which uses the folder's files, into a ModelFolderError."""
        try:
            yield
        except ModelFolderError:
            raise
        except UserError as error:
            explained = ModelFolderError(f"cannot be used: {error.found}", advice=COPY_AGAIN)
            raise explained.at(self.path, *error.places) from error
        except Exception as error:  # what does not fit together fails in ways of its own
            raise ModelFolderError(f"cannot be used: {type(error).__name__}: {error}", place=self.path) from error

    def load_models(self, device: str) -> "list[HmstModel]":
        """The models, ready to decode on `device`; use it inside `explaining`."""
        task = make_task(self.data)
        return [self._load_model(task, entry).eval().to(device) for entry in self.config.models]

    def _load_model(self, task: HmstTranslationTask, entry: ModelEntry) -> "HmstModel":
        if not self.has(entry.file):
            raise ModelFolderError(f"names weights that {CARD_NAME} does not", place=self.path / CONFIG_NAME)
        if entry.family not in FAMILIES:  # others of fairseq's read files that options name
            raise ModelFolderError(
                f"expected one of {', '.join(FAMILIES)}, found '{entry.family}'", place=self.path / CONFIG_NAME
            )
        model = task.build_model(OmegaConf.create(dict(entry.options)), from_checkpoint=True)
        model.load_state_dict(read_weights(self.path / entry.file))
        model.origin = str(self.path)
        return model


def make_task(data_bin: Path, decoding: str = "auto", ctc_decode_weight: float | None = None) -> HmstTranslationTask:
    """The task of a data-bin, with these options of decoding and the defaults of all others.

    Raises:
        DataBinError: the data-bin is not whole, or there are several.
        ValueError: the options do not fit it.
    """
    if os.pathsep in str(data_bin):
        raise DataBinError(
            f"expected one data-bin, found '{os.pathsep}', which separates data-bins",
            place=data_bin,
            advice="name one (all have the same dictionaries), or move the folder to a path without it",
        )
    given = {"data": str(data_bin), "decoding": decoding, "ctc_decode_weight": ctc_decode_weight}
    config = OmegaConf.merge(OmegaConf.structured(HmstTranslationConfig), given)
    return HmstTranslationTask(cast(HmstTranslationConfig, config))


def write_weights(model: torch.nn.Module, path: Path) -> None:
    """Write a model's weights as safetensors, each tensor once though modules share it.

    Raises:
        NotFiniteError: a weight is NaN or infinite.
    """
    check_finite(model.state_dict(), path)
    save_model(model, str(path))
    path.chmod(0o644)  # safetensors lets the owner alone read it


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read the state that `write_weights` wrote; what modules share has each of its names.

    Raises:
        ModelFolderError: a weight is NaN or infinite; or the path is not UTF-8, and safetensors opens no other.
    """
    if os.fsencode(path).decode(errors="ignore") != str(path):
        raise ModelFolderError("safetensors opens no path that is not UTF-8", place=path, advice="rename the folder")
    with safe_open(path, "pt") as file:
        kept_under = {key: value for key, value in (file.metadata() or {}).items() if key != "format"}
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
    try:
        check_finite(state, path, "its training went wrong: export an earlier checkpoint")
    except NotFiniteError as error:
        raise ModelFolderError.of(error) from error
    return state | {name: state[kept] for name, kept in kept_under.items()}


def _find(name: str | Path) -> Path:
    if Path(name).is_file():
        raise ModelFolderError("is a file; expected a model folder, as `hmst export` writes it", place=name)
    try:
        return resolve_folder(name, ALLOWED_PATTERNS)
    except HubError as error:
        raise ModelFolderError.of(error) from error
