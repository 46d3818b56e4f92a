"""Local agreement (Liu et al. 2020, Interspeech): what two passes in a row have in common is certain."""

from ..common_prefix import common_prefix_length
from .policy import Heard


class LocalAgreement:
    """Commits what the best hypotheses of this decision point and of the one before begin with."""

    def __init__(self) -> None:
        self._last: tuple[int, ...] = ()

    def num_certain(self, heard: Heard) -> int:
        """Labels that both begin with."""
        num_common = common_prefix_length(self._last, heard.labels)
        self._last = heard.labels
        return max(num_common, heard.num_committed)
