"""Run the parts of a benchmark in turn, each within its bound and all within one.

    python examples/benchmarks/run_parts.py examples/benchmarks/gpu.yaml --out OUT

The YAML file has the parts by name: `seconds` that it may take, `commands`, run in the repository's root, and perhaps
`needs`, a variable of the environment without which it is not run. In a command {results} is OUT/results.jsonl, which
figures are appended to, and {scratch} a folder that all parts share and that is removed in the end.

A part that fails or takes longer is named, with its error, and the next begins. OUT/log.txt has what the commands said,
OUT/table.md the table, also when the run is interrupted. Exit status 1: a part failed.
"""

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from results_table import make_table, read_results

ROOT = Path(__file__).resolve().parents[2]
GRACE = 3.0  # seconds between asking a part to end and ending it
LEAST = 1.0  # seconds that a part must have left to begin


@dataclass(frozen=True)
class Part:
    """Commands with a bound.

    Attributes:
        name: of the part.
        seconds: that it may take.
        commands: one after another, each only if the one before succeeded.
        needs: a variable of the environment, "" for none.
    """

    name: str
    seconds: float
    commands: list[str]
    needs: str = ""


class PartError(Exception):
    """Why a part did not end as it should."""


class NotRunError(PartError):
    """A part was not asked for."""


def run_part(part: Part, places: dict[str, str], log: Path, seconds: float) -> None:
    """Run the commands of a part, and end all processes that they leave.

    Raises:
        PartError: a command failed, or the part took longer than `seconds`.
    """
    end = time.monotonic() + seconds
    for command in part.commands:
        for name, place in places.items():
            command = command.replace(f"{{{name}}}", place)
        words = [sys.executable if word == "python" else word for word in shlex.split(command)]
        with log.open("a", encoding="utf-8") as file:
            file.write(f"== {part.name}: {command}\n")
            file.flush()
            begin = file.tell()
            process = subprocess.Popen(words, cwd=ROOT, stdout=file, stderr=file, start_new_session=True)
        try:
            status = process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise PartError(f"ended after its {seconds:.0f} s") from None
        finally:
            end_group(process)
        if status != 0:
            said = log.read_bytes()[begin:].decode(errors="replace").split("\n")
            raise PartError(next((line.strip() for line in reversed(said) if line.strip()), f"exit status {status}"))


def end_group(process: subprocess.Popen) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_parts(parts: list[Part], out: Path, seconds: float) -> bool:
    """Run parts within `seconds` altogether; whether none failed."""
    end = time.monotonic() + seconds
    results, is_well = out / "results.jsonl", True
    with tempfile.TemporaryDirectory() as scratch:
        places = {"scratch": scratch, "results": str(results)}
        for part in parts:
            bound = min(part.seconds, end - time.monotonic())
            print(f"== {part.name}, {bound:.0f} s at most", flush=True)
            try:
                if part.needs and not os.environ.get(part.needs):
                    raise NotRunError(f"not run: {part.needs} is not set")
                if bound < LEAST:
                    raise PartError("not run: no time is left")
                run_part(part, places, out / "log.txt", bound)
            except PartError as error:
                print(f"{part.name}: {error}", flush=True)
                is_well = is_well and isinstance(error, NotRunError)
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"part": part.name, "error": str(error), "commands": part.commands}) + "\n")
    return is_well


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", type=Path, help="YAML file")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results; earlier ones are removed")
    parser.add_argument("--seconds", type=float, default=480.0, help="for all parts; default %(default)s")
    arguments = parser.parse_args()
    content = yaml.safe_load(arguments.parts.read_text(encoding="utf-8"))
    parts = [Part(name, **values) for name, values in content.items()]
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for name in ("results.jsonl", "log.txt", "table.md"):
        (out / name).unlink(missing_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        return 0 if run_parts(parts, out, arguments.seconds) else 1
    finally:
        table = make_table(read_results(out / "results.jsonl"))
        (out / "table.md").write_text(table, encoding="utf-8")
        print(f"\n{table}\n{out / 'results.jsonl'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
