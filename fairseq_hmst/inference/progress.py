"""A progress bar on stderr that counts parts of seconds."""

from types import TracebackType

from tqdm import tqdm


class Progress:
    """A context manager: a bar over `total` units of work, if `is_shown` and stderr is a terminal.

    Args:
        total: units of work.
        unit: the name of one.
        is_shown: whether to show anything.
    """

    def __init__(self, total: float, unit: str, is_shown: bool) -> None:
        self._bar = tqdm(total=round(total), unit=unit, desc="translated", disable=None if is_shown else True)
        self._done = 0.0  # within the present part
        self._finished = 0.0  # parts before it

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()

    def advance(self, amount: float) -> None:
        """Some of the present part is done."""
        self._done += amount
        self._bar.update(int(self._finished + self._done) - self._bar.n)

    def finish(self, amount: float) -> None:
        """The present part, of size `amount`, is done, though parts of it were left out (such as silence)."""
        self._finished, self._done = self._finished + amount, 0.0
        self._bar.update(round(self._finished) - self._bar.n)
