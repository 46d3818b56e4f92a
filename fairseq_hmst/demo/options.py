"""Options of the page and its server."""

from dataclasses import dataclass

from preprocess.files.options import option


@dataclass(frozen=True)
class DemoOptions:
    """Options of the page and its server."""

    host: str = option("address to serve; 0.0.0.0 opens the page to the network", "127.0.0.1")
    port: int | None = option("default: the first free one from 7860 on", None)
    max_minutes: float = option("longest recording that the page takes", 10.0)

    @property
    def max_seconds(self) -> float:
        """Length of the longest recording that the page takes."""
        return 60 * self.max_minutes
