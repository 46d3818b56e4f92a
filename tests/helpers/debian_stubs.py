"""Stand-ins for the programs that the free corpora run: apt-get and dpkg on a made-up archive, flite and espeak-ng."""

import io
import os
import sys
import tarfile
from pathlib import Path

import pytest

APT_GET = """#!/bin/sh
echo "$@" >> "$ARCHIVE/log"
if [ "$1" = download ]; then
    [ -e "$ARCHIVE/$2"_1_all.deb ] || { echo "E: Unable to locate package $2" >&2; exit 100; }
    cp "$ARCHIVE/$2"_1_all.deb .
else
    echo "Inst libneeded (1 Debian [all])"
fi
"""
DPKG = '#!/bin/sh\nmkdir -p "$3" && tar xf "$2" -C "$3"\n'
# Noise, a tenth of a second for each word. A text with the word `silence` is silent; one with `nothing` fails.
SYNTHESIZER = """#!{python} -IS
import array, random, sys, wave
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
text = open(arguments["-f"]).read()
if "nothing" in text:
    sys.exit("cannot say that")
level = 0 if "silence" in text else 8000
with wave.open(arguments.get("-w") or arguments["-o"], "wb") as file:
    file.setparams((1, 2, 8000, 0, "NONE", ""))
    samples = random.Random(text).choices(range(-level, level + 1), k=800 * len(text.split()))
    file.writeframes(array.array("h", samples).tobytes())
"""


class Archive:
    """A folder of packages that the stand-in of apt-get finds; on a PATH of their own and the usual shell tools."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.programs = folder / "archive", folder / "programs"
        for made in (self.folder, self.programs):
            made.mkdir(parents=True)
        self.install("apt-get", APT_GET)
        self.install("dpkg", DPKG)
        monkeypatch.setenv("ARCHIVE", str(self.folder))
        for tool in ("sh", "cp", "mkdir", "tar"):
            (self.programs / tool).symlink_to(next(path for path in _folders() if (path / tool).exists()) / tool)
        monkeypatch.setenv("PATH", str(self.programs))

    def install(self, program: str, script: str) -> None:
        """Put a program on the PATH."""
        (self.programs / program).write_text(script)
        (self.programs / program).chmod(0o755)

    def add(self, package: str, files: dict[str, str | bytes]) -> None:
        """Add a package: texts or bytes by path; programs (in usr/bin) are made executable."""
        with tarfile.open(self.folder / f"{package}_1_all.deb", "w") as archive:
            for path, content in files.items():
                data = content.encode() if isinstance(content, str) else content
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(data), 0o755 if path.startswith("usr/bin/") else 0o644
                archive.addfile(member, io.BytesIO(data))

    def add_synthesizers(self) -> None:
        """flite and espeak-ng, with empty packages of their libraries."""
        script = SYNTHESIZER.format(python=sys.executable)
        self.add("flite", {"usr/bin/flite": script})
        self.add("espeak-ng", {"usr/bin/espeak-ng": script})
        for package in ("libflite1", "libespeak-ng1", "libneeded"):
            self.add(package, {f"usr/lib/{package}.so.1": ""})
        self.add("espeak-ng-data", {"usr/lib/espeak-ng-data/phontab": ""})

    def log(self) -> list[str]:
        """Commands that apt-get was given."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []


def _folders() -> list[Path]:
    return [Path(folder) for folder in os.environ["PATH"].split(":")]
