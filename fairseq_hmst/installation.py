"""The check that fairseq_hmst finds its other package, `preprocess`, under that name."""

import importlib.util
from pathlib import Path


def check_preprocess() -> None:
    """Refuse to start where another `preprocess` hides the package of that name, without running it.

    Raises:
        ImportError: a file or folder `preprocess` of the user's is found first.
    """
    spec = importlib.util.find_spec("preprocess")
    if spec is None:
        raise ImportError(
            "the package `preprocess`, which fairseq_hmst needs, is not there: install fairseq_hmst again"
        )
    folders = list(spec.submodule_search_locations or ())
    if not any(Path(folder, "files", "cards", "card.py").is_file() for folder in folders):
        found = spec.origin or ", ".join(folders)
        raise ImportError(
            f"{found} has the name of the package `preprocess` that fairseq_hmst needs, and is found before it; "
            "rename it, or start Python in another folder"
        )
