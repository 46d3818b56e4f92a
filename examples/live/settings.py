"""Settings of live translation, and the grid of those that are measured: a YAML list of blocks of lists.

    - {policy: [alignatt], chunk: [0.25, 0.5], look-ahead: [0.1, 0.3], pause: [0.5]}

stands for four settings; seconds throughout. What a block does not name is left to its default.
"""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from fairseq_hmst.live.options import LiveOptions
from fairseq_hmst.live.policies.table import DECODINGS, WAIT

SHORT = {"policy": "policy", "chunk": "chunk_seconds", "look-ahead": "look_ahead_seconds", "pause": "pause_seconds"}


@dataclass(frozen=True)
class Setting:
    """A policy and its seconds, as of LiveOptions; None is the default."""

    policy: str
    chunk_seconds: float | None = None
    look_ahead_seconds: float | None = None
    pause_seconds: float | None = None

    @property
    def name(self) -> str:
        """The setting in words, fit to name a folder."""
        seconds = {short: getattr(self, full) for short, full in SHORT.items() if full != "policy"}
        named = [f"{short} {value:g}" for short, value in seconds.items() if value is not None]
        return ", ".join([self.policy, *named])

    @property
    def is_offline(self) -> bool:
        """Whether everything is translated at the end."""
        return self.policy == WAIT

    def fits(self, decoding: str) -> bool:
        """Whether a decoding has the policy."""
        return decoding in DECODINGS[self.policy]

    def options(self, sampling_rate: int) -> LiveOptions:
        """Options of a translator."""
        return LiveOptions(**asdict(self), sampling_rate=sampling_rate)


OFFLINE = Setting(WAIT)


def read_grid(path: Path) -> list[Setting]:
    """All settings of a grid, each once, behind the offline one.

    Raises:
        ValueError: the file has another form, or a setting is out of range.
    """
    blocks = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(blocks, list):
        raise ValueError(f"{path}: expected a list of blocks")
    settings = [OFFLINE]
    for number, block in enumerate(blocks, start=1):
        settings += _settings_of(block, f"{path}, block {number}")
    return list(dict.fromkeys(settings))


def _settings_of(block: Any, place: str) -> Sequence[Setting]:
    if not isinstance(block, dict) or not block.keys() <= SHORT.keys() or "policy" not in block:
        raise ValueError(f"{place}: expected a policy, and any of {', '.join(SHORT)}, each with a list")
    combinations = itertools.product(*block.values())
    settings = [Setting(**{SHORT[key]: value for key, value in zip(block, one, strict=True)}) for one in combinations]
    for setting in settings:
        setting.options(sampling_rate=16_000)  # refuses what is out of range
    return settings
