"""Local agreement (Liu et al. 2020, Interspeech): what two passes in a row have in common is certain."""

import os.path

from .policy import Heard


class LocalAgreement:
    """Commits the labels that the best hypotheses of this decision point and the one before begin with."""

    def __init__(self) -> None:
        self._last: tuple[int, ...] = ()

    def num_certain(self, heard: Heard) -> int:
        """Labels that both begin with."""
        common = os.path.commonprefix([self._last, heard.labels])
        self._last = heard.labels
        return max(len(common), heard.num_committed)
