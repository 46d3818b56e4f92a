"""Options of the sound that a neural encoder hears around what is new."""

from dataclasses import dataclass

from preprocess.errors import OptionError
from preprocess.files.program.options import option

DEFAULT_LEFT_SECONDS, DEFAULT_LOOK_AHEAD_SECONDS = 8.0, 0.5
LEFT_RANGE = 0.5, 24.0  # with the look-ahead less than the 30 s that Whisper takes
LOOK_AHEAD_RANGE = 0.0, 4.0


@dataclass(frozen=True)
class EncoderWindow:
    """Window of a neural encoder over a growing segment; None is the default."""

    encoder_left_seconds: float | None = option(
        "sound before the new one that the speech encoder hears again, "
        f"{LEFT_RANGE[0]:g}..{LEFT_RANGE[1]:g}; not for MFCC; default: {DEFAULT_LEFT_SECONDS:g}",
        None,
        metavar="SECONDS",
    )
    encoder_look_ahead_seconds: float | None = option(
        "sound behind a frame of the speech encoder after which it is not made again, "
        f"{LOOK_AHEAD_RANGE[0]:g}..{LOOK_AHEAD_RANGE[1]:g}; not for MFCC; default: {DEFAULT_LOOK_AHEAD_SECONDS:g}",
        None,
        metavar="SECONDS",
    )

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            OptionError: an option lies outside its range.
        """
        for (name, value), (low, high) in zip(vars(self).items(), (LEFT_RANGE, LOOK_AHEAD_RANGE), strict=True):
            if value is not None and not low <= value <= high:
                raise OptionError(name, f"must lie in {low:g}..{high:g}, got {value:g}")

    @property
    def left_seconds(self) -> float:
        """Left context, as chosen or by default."""
        return DEFAULT_LEFT_SECONDS if self.encoder_left_seconds is None else self.encoder_left_seconds

    @property
    def look_ahead_seconds(self) -> float:
        """Look-ahead, as chosen or by default."""
        chosen = self.encoder_look_ahead_seconds
        return DEFAULT_LOOK_AHEAD_SECONDS if chosen is None else chosen

    @property
    def chosen(self) -> list[str]:
        """Names of the options that were chosen."""
        return [name for name, value in vars(self).items() if value is not None]
