"""Parts of a benchmark that fail, hang or are interrupted, and the start of gpu.sh."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml
from toy import REPOSITORY, run_command

BENCHMARKS = REPOSITORY / "examples" / "benchmarks"
FIGURE = json.dumps({"part": "fine", "name": "answer", "value": 42, "unit": "s", "device": "abacus"})
BOUND = 5  # seconds, in which a process must have started
FINE = {"seconds": 60, "commands": [f"sh -c {shlex.quote(f'echo {shlex.quote(FIGURE)} >> ' + '{results}')}"]}


def hanging(folder: Path) -> dict:
    """A part that starts a process that cannot be asked to end, writes both ids into a file, and waits."""
    code = (
        "import os, subprocess\n"
        "child = subprocess.Popen(['sh', '-c', 'trap : TERM; while :; do sleep 1; done'])\n"
        f"open({str(folder / 'writing')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(folder / 'writing')!r}, {str(folder / 'pids')!r})\n"
        "child.wait()\n"
    )
    return {"seconds": BOUND, "commands": [shlex.join(["python", "-c", code])]}


def write_parts(folder: Path, **parts: dict) -> list[str]:
    (folder / "parts.yaml").write_text(yaml.safe_dump(parts, sort_keys=False))
    return [sys.executable, str(BENCHMARKS / "run_parts.py"), str(folder / "parts.yaml"), "--out", str(folder / "out")]


def results_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "out" / "results.jsonl").read_text().splitlines()]


def wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def assert_ended(folder: Path) -> None:
    for pid in (folder / "pids").read_text().split():
        assert not Path("/proc", pid).exists() or "State:\tZ" in Path("/proc", pid, "status").read_text()


def test_parts_that_fail_or_hang_are_named_and_the_rest_goes_on(tmp_path):
    fails = {
        "seconds": 60,
        "commands": ["python -c \"print('so far'); raise ValueError('no such thing')\"", "touch no"],
    }
    unasked = {**FINE, "needs": "NO_SUCH_VARIABLE"}
    run = run_command(*write_parts(tmp_path, fails=fails, hangs=hanging(tmp_path), unasked=unasked, fine=FINE))
    assert run.returncode == 1
    found = {result["part"]: result for result in results_of(tmp_path)}
    assert found["fails"]["error"] == "ValueError: no such thing"
    assert found["hangs"]["error"] == f"ended after its {BOUND} s"
    assert found["unasked"]["error"] == "not run: NO_SUCH_VARIABLE is not set"
    assert found["fine"]["value"] == 42
    assert_ended(tmp_path)
    table = (tmp_path / "out" / "table.md").read_text()
    assert table in run.stdout
    assert "abacus" in table
    assert "| fails |  | **ValueError: no such thing** | |" in table
    assert "| fine | answer | 42 | s |" in table
    log = (tmp_path / "out" / "log.txt").read_text()
    assert "so far" in log and "touch no" not in log


def test_a_part_that_was_not_asked_for_is_no_failure(tmp_path):
    run = run_command(*write_parts(tmp_path, unasked={**FINE, "needs": "NO_SUCH_VARIABLE"}))
    assert run.returncode == 0, run.stderr


def test_parts_for_which_no_time_is_left_are_named(tmp_path):
    run = run_command(*write_parts(tmp_path, hangs={**hanging(tmp_path), "seconds": 60}, late=FINE), "--seconds", BOUND)
    assert run.returncode == 1
    assert [result["error"] for result in results_of(tmp_path)] == [
        f"ended after its {BOUND} s",
        "not run: no time is left",
    ]


def test_an_interrupted_run_leaves_the_results_so_far_and_no_process(tmp_path):
    parts = write_parts(tmp_path, fine=FINE, hangs={**hanging(tmp_path), "seconds": 60}, never=FINE)
    process = subprocess.Popen(parts, stdout=subprocess.PIPE, text=True)
    wait_for(tmp_path / "pids")
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert [result["value"] for result in results_of(tmp_path)] == [42]
    assert "| fine | answer | 42 | s |" in (tmp_path / "out" / "table.md").read_text()
    assert "| fine | answer | 42 | s |" in printed
    assert_ended(tmp_path)


def test_gpu_sh_takes_what_a_python_lacks_from_wheels_and_becomes_the_run(tmp_path):
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho "$$ $PYTHONPATH $*" >> {tmp_path}/calls\n'
        'case "$1" in *missing_packages.py) echo one two;; esac\n'
    )
    python.chmod(0o755)
    values = {**os.environ, "PYTHON": str(python), "WHEELS": "/wheels", "OUT": "/out", "PYTHONPATH": "/before"}
    process = subprocess.Popen(["bash", str(BENCHMARKS / "gpu.sh")], env=values)
    assert process.wait(60) == 0
    calls = [line.split() for line in (tmp_path / "calls").read_text().splitlines()]
    packages = str(REPOSITORY / "build" / "packages")
    assert {path for _, path, *_ in calls} == {f"{REPOSITORY}:{packages}:/before"}
    _, install, run = ([int(pid), *words] for pid, _, *words in calls)
    wanted = "-m pip install --quiet --no-index --find-links /wheels --no-deps --target"
    assert install[1:] == [*wanted.split(), packages, "one", "two"]
    assert run[0] == process.pid  # so that who ends gpu.sh ends the run
    assert run[2:-1] == [str(BENCHMARKS / "gpu.yaml"), "--out", "/out", "--seconds"]
    assert 470 <= int(run[-1]) <= 480


def test_missing_packages_are_those_that_cannot_be_imported_without_site_packages():
    script = BENCHMARKS / "missing_packages.py"
    assert run_command(sys.executable, script).stdout.strip() == ""
    missing = run_command(sys.executable, "-I", "-S", script).stdout.split()
    assert {"torch", "ve-fairseq", "hydra-core", "omegaconf", "antlr4-python3-runtime", "bitarray"} <= set(missing)
    assert all(re.fullmatch(r"[\w-]+", name) for name in missing)
