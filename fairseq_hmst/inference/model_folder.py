"""A model folder: a trained model with all that translating needs, in formats that hold no code.

    MODEL/
      card.json            what it is made of, scores, and the SHA-256 of every other file
      config.json          configuration of the model, defaults of decoding, names of the weight files
      model.safetensors    weights; model-1.safetensors, model-2.safetensors ... of an ensemble
      data/                the data-bin without its streams: dictionaries, SentencePiece models, centroids
      encoder/             the speech encoder, where it was included
      README.md            a model card, which a person may edit

`fairseq_hmst.export` writes it. Every hash is checked before a file is used; files that the card does not name are not
looked at.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import torch
from omegaconf import OmegaConf
from safetensors import safe_open
from safetensors.torch import save_model

from ..data.data_bin import DataBinError
from ..tasks.hmst_translation import HmstTranslationConfig, HmstTranslationTask
from .errors import ModelFolderError
from .model_card import FAMILIES
from .sealing import CARD_NAME, check_seal, read_json

STAGE = "model"
FORMAT = 1
CONFIG_NAME = "config.json"
DATA_NAME = "data"
ENCODER_NAME = "encoder"
README_NAME = "README.md"
# what a download may bring: no other file is ever read, and none of these holds code
ALLOWED_PATTERNS = ["*.json", "*.safetensors", "*.model", "*.npz", "*.txt", "*.md"]


@dataclass(frozen=True)
class ModelFolder:
    """A folder whose files were checked against its card; see `open`."""

    path: Path
    card: dict[str, Any]
    config: dict[str, Any]

    @classmethod
    def open(cls, name: str | Path) -> "ModelFolder":
        """Check a folder, or download that name from the Hugging Face hub (from its cache if it is there).

        Raises:
            ModelFolderError: it is neither; or a file is missing, broken, changed, or of another format.
        """
        path = _find(name)
        card = read_json(path / CARD_NAME)
        if card.get("stage") != STAGE:
            raise ModelFolderError(
                f"{path / CARD_NAME}: expected the card of a model folder (stage '{STAGE}'), found "
                f"'{card.get('stage')}'; make a model folder by `python -m fairseq_hmst.export`"
            )
        if card.get("format") != FORMAT:
            raise ModelFolderError(
                f"{path}: expected format {FORMAT}, found {card.get('format')}; export the model anew"
            )
        check_seal(path, card, ALLOWED_PATTERNS)
        config = read_json(path / CONFIG_NAME)
        for content, keys in ((card, ("encoder",)), (config, ("models", "generation"))):
            missing = [key for key in keys if key not in content]
            if missing:
                raise ModelFolderError(f"{path}: lacks what says its {', '.join(missing)}; export it anew")
        return cls(path, card, config)

    def has(self, name: str) -> bool:
        """Whether the card names a file, which then was checked."""
        return name in self.card["hashes"]

    @property
    def data(self) -> Path:
        """The data-bin without streams."""
        return self.path / DATA_NAME

    @property
    def kmeans(self) -> Optional[Path]:
        """The k-means; None for a model that translates units and text alone."""
        return self.data / "kmeans" if self.has(f"{DATA_NAME}/kmeans/{CARD_NAME}") else None

    @property
    def uses_mfcc(self) -> bool:
        """Whether its units need no speech encoder."""
        return self.card["encoder"] is not None and self.card["encoder"]["name"] == "mfcc"

    @property
    def encoder(self) -> Optional[Path]:
        """The speech encoder, where it was included.

        Raises:
            ModelFolderError: there are other files beside it, which transformers might read, or it names code.
        """
        folder, described = self.path / ENCODER_NAME, self.card["encoder"]
        if described is None or not described["included"]:
            return None
        for path in sorted(folder.iterdir()):
            if not self.has(f"{ENCODER_NAME}/{path.name}"):
                raise ModelFolderError(f"{path}: {CARD_NAME} does not name it; remove it")
            if path.suffix == ".json" and "auto_map" in read_json(path):
                raise ModelFolderError(f"{path} names code to be run ('auto_map'); no model folder needs any")
        return folder

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """Turn any error of the block, which uses the folder's files, into a ModelFolderError."""
        try:
            yield
        except ModelFolderError:
            raise
        except Exception as error:  # what does not fit together fails in ways of its own
            raise ModelFolderError(f"{self.path} cannot be used: {type(error).__name__}: {error}") from error

    def load_models(self, device: str) -> list[Any]:
        """The models, ready to decode on `device`; use it inside `explaining`."""
        task = make_task(self.data)
        return [self._load_model(task, described).eval().to(device) for described in self.config["models"]]

    def _load_model(self, task: HmstTranslationTask, described: dict[str, Any]) -> Any:
        if not self.has(described["file"]):
            raise ModelFolderError(f"{self.path / CONFIG_NAME}: names weights that {CARD_NAME} does not")
        if described["options"]["_name"] not in FAMILIES:  # others of fairseq's read files that options name
            raise ModelFolderError(f"{self.path / CONFIG_NAME}: expected one of {', '.join(FAMILIES)}")
        model = task.build_model(OmegaConf.create(described["options"]), from_checkpoint=True)
        model.load_state_dict(read_weights(self.path / described["file"]))
        return model


def make_task(data_bin: Path, **options: Any) -> HmstTranslationTask:
    """The task of a data-bin, with `options` (of HmstTranslationConfig) in place of defaults.

    Raises:
        DataBinError, ValueError: the data-bin is not whole, or the options do not fit it.
    """
    if os.pathsep in str(data_bin):
        raise DataBinError(
            f"{data_bin}: expected one data-bin, found '{os.pathsep}', which separates shards; name one shard (all "
            "have the same dictionaries), or move the folder to a path without it"
        )
    given = {"data": str(data_bin), "seed": 1, **options}
    config: Any = OmegaConf.merge(OmegaConf.structured(HmstTranslationConfig), given)
    return HmstTranslationTask(config)


def write_weights(model: torch.nn.Module, path: Path) -> None:
    """Write a model's weights as safetensors, what modules share but once."""
    save_model(model, str(path))
    path.chmod(0o644)  # safetensors lets the owner alone read it


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The state of a model that `write_weights` wrote, with what modules share under each of its names."""
    with safe_open(path, "pt") as file:
        kept_under = {key: value for key, value in (file.metadata() or {}).items() if key != "format"}
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
    return state | {name: state[kept] for name, kept in kept_under.items()}


def _find(name: str | Path) -> Path:
    if Path(name).is_dir():
        return Path(name)
    if Path(name).exists():
        raise ModelFolderError(
            f"{name} is a file; expected a model folder, as `python -m fairseq_hmst.export` writes it"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(str(name), allow_patterns=ALLOWED_PATTERNS))
    except (HFValidationError, HfHubHTTPError, OSError, ValueError) as error:
        raise ModelFolderError(f"'{name}' is neither a folder nor a hub name that can be reached: {error}") from error
