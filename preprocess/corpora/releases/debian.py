"""Debian packages without installing them: downloaded by apt-get, unpacked by dpkg, no root rights needed.

ROOT/packages/ holds the .deb files, ROOT/unpacked/ what is in them; the second is there whole or not at all. A
download that was interrupted goes on with the first package that is missing. Where there is no apt-get, the .deb files
can be put into ROOT/packages by hand.
"""

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ...errors import PreprocessError
from ...files.program.progress import count_progress
from ...files.whole import whole_file

logger = logging.getLogger(__name__)

PACKAGES_URL = "https://packages.debian.org"


def unpacked(root: Path) -> Path:
    """Folder of the unpacked packages, with `usr` in it."""
    return root / "unpacked"


def fetch_packages(root: Path, packages: Sequence[str], programs: Sequence[str] = ()) -> None:
    """Download and unpack packages, unless ROOT/unpacked is there.

    Args:
        root: the folder to make.
        packages: names of packages; only these are unpacked, not what they depend on.
        programs: names of packages to be run, which are unpacked with those they depend on, as far as these are not
            installed on this machine.

    Raises:
        PreprocessError: apt-get or dpkg is missing or fails; what was downloaded whole is kept.
        OutputError: no space is left, or a file cannot be written.
    """
    if unpacked(root).is_dir():
        return
    names = list(dict.fromkeys([*packages, *programs]))
    if programs and shutil.which("apt-get"):
        names = list(dict.fromkeys(names + _not_installed(programs)))
    downloads = root / "packages"
    missing = [name for name in names if not _find(downloads, name)]
    if missing and not shutil.which("apt-get"):
        raise PreprocessError(
            "apt-get is not on this machine",
            advice=(
                f"download the newest .deb file of each of {', '.join(missing)} from {PACKAGES_URL}/PACKAGE, put "
                f"them into {downloads}, and run again"
            ),
        )
    for name in count_progress(missing, "download", " packages"):
        _download(name, downloads)
    _unpack([path for name in names for path in _find(downloads, name)], unpacked(root))


def _find(downloads: Path, name: str) -> list[Path]:
    return sorted(downloads.glob(f"{name}_*.deb"))[-1:]


def _download(name: str, downloads: Path) -> None:
    # A file that is in the working folder already is checked by apt-get and, if it is a beginning, completed.
    temporary = downloads / f".{name}.partial"
    temporary.mkdir(parents=True, exist_ok=True)
    _run(["apt-get", "download", name], temporary)
    for path in temporary.glob("*.deb"):
        with whole_file(downloads / path.name) as target:
            os.replace(path, target)
    shutil.rmtree(temporary)


def _not_installed(programs: Sequence[str]) -> list[str]:
    """The packages that an installation of `programs` would bring, as apt-get plans it; nothing is installed."""
    plan = _run(["apt-get", "install", "--simulate", "--no-install-recommends", *programs])
    return re.findall(r"^Inst (\S+)", plan, re.MULTILINE)


def _unpack(paths: Sequence[Path], folder: Path) -> None:
    if not shutil.which("dpkg"):
        raise PreprocessError(
            "dpkg is not on this machine",
            advice=(
                f"unpack the data.tar of each file in {paths[0].parent} into {folder} by hand (ar x FILE.deb && "
                "tar xf data.tar.*), and run again"
            ),
        )
    temporary = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for path in count_progress(paths, "unpack", " packages"):
            try:
                _run(["dpkg", "-x", str(path), str(temporary)])
            except PreprocessError as error:
                raise PreprocessError(
                    f"not a whole package: {error.found}", place=path, advice="delete it and run again"
                ) from error
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    """Standard output of a command; of an error the last lines that it wrote."""
    # The words of apt-get's plan are read: they must not be translated.
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"LC_ALL": "C"}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = "\n".join((done.stderr or done.stdout).strip().split("\n")[-4:])
        raise PreprocessError(
            f"`{' '.join(command)}` failed with status {done.returncode}:\n{reason}",
            advice="run `apt-get update` first" if "Unable to locate" in reason else "",
        )
    return done.stdout
