"""Options of the page and its server."""

import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from preprocess.errors import OptionError
from preprocess.files.program.options import option

ANY_ADDRESS = ("0.0.0.0", "::", "[::]")  # all that this machine has
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class DemoOptions:
    """Options of the page and its server."""

    host: str = option("address to serve; 0.0.0.0 opens the page to the network", "127.0.0.1")
    port: int | None = option("default: the first free one from 7860 on", None)
    allow_host: tuple[str, ...] = option(
        "more names of the host that browsers may use, such as that of a proxy", (), metavar="NAME"
    )
    auth: Path | None = option(
        "file with lines USER:PASSWORD, one of which the page asks for; default: it asks for none", None, metavar="FILE"
    )
    max_minutes: float = option("longest recording that the page takes", 10.0)
    max_megabytes: float = option("largest file that the page takes, 1 000 000 bytes each", 100.0)
    max_characters: int = option("longest text that the page takes", 1000)

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            OptionError: a bound is not above 0.
        """
        for name in ("max_minutes", "max_megabytes", "max_characters"):
            if not getattr(self, name) > 0:
                raise OptionError(name, f"must be above 0, got {getattr(self, name)}")

    @property
    def max_seconds(self) -> float:
        """Length of the longest recording that the page takes."""
        return 60 * self.max_minutes

    @property
    def max_bytes(self) -> int:
        """Size of the largest file that the page takes."""
        return int(1e6 * self.max_megabytes)

    @property
    def is_open(self) -> bool:
        """Whether other machines can reach the page."""
        return self.host.strip("[]") not in LOCAL_NAMES

    @property
    def has_any_address(self) -> bool:
        """Whether the page is served at all addresses of this machine."""
        return self.host in ANY_ADDRESS

    @property
    def host_names(self) -> frozenset[str]:
        """Names of the host that requests may use."""
        given = (socket.gethostname(),) if self.has_any_address else (self.host,)
        return LOCAL_NAMES | {name.strip("[]").lower() for name in (*given, *self.allow_host)}

    def read_logins(self) -> list[tuple[str, str]] | None:
        """Users and their passwords; None where everybody may use the page.

        Raises:
            OptionError: the file is missing, may be read by others, or is not in its form.
        """
        if self.auth is None:
            return None
        try:
            lines = self.auth.read_text(encoding="utf-8").splitlines()
            mode = self.auth.stat().st_mode
        except (OSError, ValueError) as error:
            # without the value: it may be a password that was meant to be given itself
            why = "takes a file with lines USER:PASSWORD, as a command line can be read by others"
            raise OptionError("auth", f"{why}; this one cannot be read") from error
        if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise OptionError("auth", f"{self.auth}: other users may read it; chmod 600 {self.auth}")
        logins = [(user, password) for user, _, password in (line.partition(":") for line in lines if line.strip())]
        if not logins or not all(user and password for user, password in logins):
            raise OptionError("auth", f"{self.auth}: expected lines USER:PASSWORD")
        return logins
