"""Names that a package offers, imported where they are first asked for: `--help` then needs no torch."""

import importlib
from collections.abc import Callable, Mapping


def imported_when_asked_for(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """A package's `__getattr__` (PEP 562).

    Args:
        package: its full name.
        modules: module, relative to the package, of each name.
    """

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(importlib.import_module(modules[name], package), name)

    return get
