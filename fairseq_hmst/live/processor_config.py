"""Keys of the YAML by which simulstream is told of a model: what it must have, and options of live translation."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import SimpleNamespace
from typing import Self, TypeVar, get_type_hints

import msgspec

from preprocess.errors import OptionError

from ..translate.machine import MachineOptions
from .options import LiveOptions
from .units.encoder_window import EncoderWindow

Kind = TypeVar("Kind")
OF_SIMULSTREAM = ("type", "speech_chunk_size")
# simulstream cuts the sound into chunks, and resamples it
OWN = ("chunk_seconds", "sampling_rate", "window")


@dataclass(frozen=True)
class ProcessorConfig:
    """A model folder, and how it translates.

    Attributes:
        model: folder, or name on the Hugging Face hub.
        encoder: folder or hub name of the speech encoder, where the model's folder only names it.
        machine, options: of the translator.
    """

    model: str
    encoder: str | None
    machine: MachineOptions
    options: LiveOptions

    @classmethod
    def read(cls, config: SimpleNamespace) -> Self:
        """Read what simulstream has parsed.

        Raises:
            OptionError: a key is missing or unknown, or a value is of another kind or out of range.
        """
        values = vars(config)
        of_machine, of_window, of_live = (_names(kind) for kind in (MachineOptions, EncoderWindow, LiveOptions))
        of_live -= {*OWN}
        known = (*OF_SIMULSTREAM, "model", "encoder", *sorted(of_live | of_window | of_machine))
        for name in values:
            if name not in known:
                raise OptionError(name, f"is no key of a speech processor; there are {', '.join(known)}")
        for name in ("model", "speech_chunk_size"):
            if name not in values:
                raise OptionError(name, "must be given")
        options = _make(
            LiveOptions, {*of_live, "chunk_seconds"}, {**values, "chunk_seconds": values["speech_chunk_size"]}
        )
        return cls(
            str(values["model"]),
            None if values.get("encoder") is None else str(values["encoder"]),
            _make(MachineOptions, of_machine, values),
            replace(options, window=_make(EncoderWindow, of_window, values)),
        )


def _names(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


def _make(kind: type[Kind], names: set[str], values: Mapping[str, object]) -> Kind:
    """Options of one kind from the values of these names."""
    hints = get_type_hints(kind)
    chosen = {}
    for name in names & values.keys():
        try:
            chosen[name] = msgspec.convert(values[name], hints[name])
        except msgspec.ValidationError as error:
            raise OptionError(name, f"is of another kind: {error}") from error
    return kind(**chosen)
