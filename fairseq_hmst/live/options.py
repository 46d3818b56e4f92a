"""Options of live translation."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from preprocess.errors import OptionError
from preprocess.files.program.options import option

from ..translate.options import SpeechOptions
from .policies.table import AGREEMENT, POLICIES, WAIT
from .units.encoder_window import EncoderWindow

MAX_CHUNK_SECONDS = 30.0
SAMPLE_RATE = 16_000
DEFAULT_CHUNK, DEFAULT_LOOK_AHEAD, DEFAULT_PAUSE = 0.5, 1.0, 0.3


@dataclass(frozen=True)
class LiveOptions(SpeechOptions):
    """Options of live translation."""

    chunk_seconds: float | None = option(
        "sound from one decision to the next, 0.02 to 30; less of it means lower latency and more computing; "
        f"default: {DEFAULT_CHUNK:g}",
        None,
        metavar="SECONDS",
    )
    policy: str | None = option(
        "what may be committed; default: alignatt for attention, look-ahead for ctc and transducer, ctc-prefix for "
        "joint decoding",
        None,
        choices=POLICIES,
    )
    look_ahead_seconds: float | None = option(
        "sound at the end of what was heard that nothing is committed by, 0 to 10; more of it means better and later "
        f"translations; not for the policies agreement and wait; default: {DEFAULT_LOOK_AHEAD:g}",
        None,
        metavar="SECONDS",
    )
    pause_seconds: float | None = option(
        f"a sentence is over when nobody has spoken for so long, 0.1 to 10; default: {DEFAULT_PAUSE:g}",
        None,
        metavar="SECONDS",
    )
    sampling_rate: int | None = option(f"of samples without a header, Hz; default: {SAMPLE_RATE}", None, metavar="HZ")
    window: EncoderWindow = field(default_factory=EncoderWindow)

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            OptionError: an option lies outside its range.
        """
        super().__post_init__()
        for name, least, most in (
            ("chunk_seconds", 0.02, MAX_CHUNK_SECONDS),
            ("look_ahead_seconds", 0.0, 10.0),
            ("pause_seconds", 0.1, 10.0),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise OptionError(name, f"must lie in {least:g}..{most:g}, got {value:g}")
        if self.policy is not None and self.policy not in POLICIES:
            raise OptionError("policy", f"must be one of {', '.join(POLICIES)}, got {self.policy!r}")

    def changed(self, changes: Mapping[str, Any]) -> "LiveOptions":
        """The options with some of them, or of the encoder's window, changed; see `SpeechOptions.changed`."""
        of_window = {field.name for field in fields(EncoderWindow)} & changes.keys()
        window = replace(self.window, **{name: changes[name] for name in of_window})
        others = {name: value for name, value in changes.items() if name not in of_window}
        return replace(super().changed(others), window=window)

    def check_effects(self, policy: str) -> None:
        """Refuse what was chosen and has no effect.

        Raises:
            OptionError: an option is not followed by the policy.
        """
        without = {AGREEMENT: ["look_ahead_seconds"], WAIT: ["look_ahead_seconds", "chunk_seconds", "pause_seconds"]}
        for name in without.get(policy, []):
            if getattr(self, name) is not None:
                raise OptionError(name, f"{getattr(self, name):g} has no effect with the policy {policy}")

    @property
    def rate(self) -> int:
        """Sampling rate, as chosen or by default."""
        return SAMPLE_RATE if self.sampling_rate is None else self.sampling_rate

    @property
    def chunk(self) -> float:
        """Seconds from one decision to the next, as chosen or by default."""
        return DEFAULT_CHUNK if self.chunk_seconds is None else self.chunk_seconds

    @property
    def look_ahead(self) -> float:
        """Seconds of look-ahead, as chosen or by default."""
        return DEFAULT_LOOK_AHEAD if self.look_ahead_seconds is None else self.look_ahead_seconds

    @property
    def pause(self) -> float:
        """Seconds of a pause that ends a sentence, as chosen or by default."""
        return DEFAULT_PAUSE if self.pause_seconds is None else self.pause_seconds
