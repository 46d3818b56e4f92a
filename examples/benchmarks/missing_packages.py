"""Print the packages that the benchmarks need and this Python lacks, whatever their versions."""

import configparser
import re
from importlib import metadata
from pathlib import Path

SETUP = Path(__file__).resolve().parents[2] / "setup.cfg"
# scikit-learn is compared with; the others are what ve-fairseq asks for, and what that asks for
OTHERS = ["scikit-learn", "antlr4-python3-runtime", "bitarray", "cffi", "hydra-core", "omegaconf", "pycparser", "regex"]


def is_missing(package: str) -> bool:
    """Whether this Python has no such package."""
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return True
    return False


def main() -> None:
    config = configparser.ConfigParser()
    config.read(SETUP)
    required = re.findall(r"^[\w-]+", config["options"]["install_requires"], re.MULTILINE)
    print(" ".join(filter(is_missing, [*required, *OTHERS])))


if __name__ == "__main__":
    main()
