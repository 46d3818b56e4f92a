"""A model folder that is open: its models and what turns speech into units, on one machine."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..model_folder.folder import ModelFolder
from .machine import MachineOptions
from .recordings.speech_to_units import SpeechToUnits

if TYPE_CHECKING:
    from ..models.hmst_model import HmstModel


@dataclass(frozen=True)
class OpenModel:
    """A model folder with all that was loaded of it; see `open`.

    Attributes:
        folder: of the model.
        models: of fairseq.
        speech: from recordings to units.
        machine: on which they compute.
        encoder: speech encoder that was given, where the folder only names it.
    """

    folder: ModelFolder
    models: "list[HmstModel]"
    speech: SpeechToUnits
    machine: MachineOptions
    encoder: str | None
    _turn: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def open(cls, name: str | Path, machine: MachineOptions, encoder: str | None) -> "OpenModel":
        """Open a model folder, or that name on the Hugging Face hub.

        Args:
            name: of the folder.
            machine: to compute on.
            encoder: folder or hub name of the speech encoder, where the model's folder only names it.

        Raises:
            ModelFolderError: it is no whole model folder.
            OptionError: `encoder` has no effect.
        """
        folder = ModelFolder.open(name)
        with folder.explaining():
            speech = SpeechToUnits(folder, machine.device, encoder)
            models = [model.to(getattr(torch, machine.dtype)) for model in folder.load_models(machine.device)]
        speech.check_given_encoder(encoder)
        return cls(folder, models, speech, machine, encoder)

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """Compute inside the block: one thread of a program at a time, by the machine's number of threads."""
        with self._turn, self.machine.own_threads():
            yield
