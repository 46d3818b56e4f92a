"""A progress bar on stderr that counts parts of seconds."""

from types import TracebackType
from typing import Self

from tqdm import tqdm


class Progress:
    """A bar over `total` units of work, shown while its context lasts.

    Args:
        total: units of work.
        unit: the name of one.
        is_shown: whether to show anything; where stderr is no terminal, nothing is shown in any case.
        passes: times that each unit of work is reported before it is done.
    """

    def __init__(self, total: float, unit: str, is_shown: bool, passes: int = 1) -> None:
        self._bar = tqdm(total=round(total), unit=unit, desc="translated", disable=None if is_shown else True)
        self._passes = passes
        self._done = 0.0  # within the present part
        self._finished = 0.0  # parts before it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()

    def advance(self, amount: float) -> None:
        """Report that one pass over some of the present part is done."""
        self._done += amount / self._passes
        self._bar.update(int(self._finished + self._done) - self._bar.n)

    def finish(self, amount: float) -> None:
        """Report that the present part is done.

        Args:
            amount: size of the part, with what was left out of it (such as silence).
        """
        self._finished, self._done = self._finished + amount, 0.0
        self._bar.update(round(self._finished) - self._bar.n)
