"""The class `HmstSpeechProcessor`, by which simulstream's commands and its server translate with a model folder."""

import functools
import re
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
from simulstream.server.speech_processors import SpeechProcessor
from simulstream.server.speech_processors.incremental_output import IncrementalOutput

from preprocess.errors import OptionError
from preprocess.files.cards.data_bin_card import DataBinCard
from preprocess.files.languages import are_alike

from ..translate.machine import MachineOptions
from ..translate.open_model import OpenModel
from .processor_config import ProcessorConfig
from .translator import LiveTranslator
from .update import Update

WORD_START = "▁"  # what simulstream's detokenizer `spm` makes a space of


class HmstSpeechProcessor(SpeechProcessor):
    """A live translator as simulstream wants it; several share one open model.

    Args:
        config: see `ProcessorConfig`.

    Raises:
        ModelFolderError: it names no whole model folder.
        OptionError: a key is missing or unknown, or does not fit the model or the machine.
    """

    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__(config)
        found = ProcessorConfig.read(config)
        self._options = found.options
        self._model = _open(found.model, found.machine, found.encoder)
        self.clear()

    @classmethod
    def load_model(cls, config: SimpleNamespace) -> None:
        """Open the model, if it is not open already."""
        found = ProcessorConfig.read(config)
        _open(found.model, found.machine, found.encoder)

    def clear(self) -> None:
        """Forget the stream and its languages; the next begins with those of the configuration."""
        self._chosen_languages: dict[str, str] = {}
        self._live: LiveTranslator | None = None

    def set_source_language(self, language: str) -> None:
        """Say which language is spoken; a name may lack the region that the model's has.

        Raises:
            OptionError: the model does not know it.
        """
        self._choose("source_language", language, self._card.languages.source)

    def set_target_language(self, language: str) -> None:
        """Say which language to translate into; a name may lack the region that the model's has.

        Raises:
            OptionError: the model does not know it.
        """
        self._choose("target_language", language, self._card.languages.target)

    def process_chunk(self, waveform: np.ndarray) -> IncrementalOutput:
        """Hear the next samples, (N,) float32 at 16 kHz, and return the text that became certain."""
        return _as_output(self._stream().feed(waveform))

    def end_of_stream(self) -> IncrementalOutput:
        """Return the rest of the text."""
        return _as_output(self._stream().finish())

    def tokens_to_string(self, tokens: Sequence[str]) -> str:
        """Text of tokens, with the space before its first word."""
        return "".join(tokens).replace(WORD_START, " ")

    @property
    def _card(self) -> DataBinCard:
        return DataBinCard.read(self._model.folder.data)

    def _choose(self, option: str, language: str, known: Sequence[str]) -> None:
        fitting = [language] if language in known else [name for name in known if are_alike(name, language)]
        if len(fitting) != 1:
            raise OptionError(option, f"must be one of {', '.join(known)}, got {language!r}")
        self._chosen_languages[option] = fitting[0]
        self._live = None

    def _stream(self) -> LiveTranslator:
        """The translator of the stream, from its first samples on."""
        if self._live is None:
            self._live = LiveTranslator(self._model, self._options.changed(self._chosen_languages))
        return self._live


@functools.cache
def _open(name: str, machine: MachineOptions, encoder: str | None) -> OpenModel:
    """Open a model once in this process."""
    return OpenModel.open(name, machine, encoder)


def _as_output(update: Update) -> IncrementalOutput:
    """An update whose tokens are the words and parts of words of its text."""
    tokens = re.findall(f"{WORD_START}[^{WORD_START}]*|[^{WORD_START}]+", update.committed.replace(" ", WORD_START))
    return IncrementalOutput(tokens, update.committed, [], "")
