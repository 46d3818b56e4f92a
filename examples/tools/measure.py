"""Run a command and write its seconds and peak memory: `measure.py RESULT.json COMMAND ...`, nothing if it fails.

The memory is the largest resident set of the command and the processes it waited for, one of them at a time.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    result, command = Path(sys.argv[1]), sys.argv[2:]
    start = time.perf_counter()
    status = subprocess.run(command, check=False).returncode
    if status == 0:
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # kilobytes on Linux
        measured = {"seconds": round(time.perf_counter() - start), "peak_memory_mb": round(peak / 1024)}
        result.write_text(json.dumps(measured) + "\n", encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
