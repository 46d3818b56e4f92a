#!/usr/bin/env bash
# Sets up .venv and runs all tests, files beside each other; arguments go to pytest (such as -k units).
set -euo pipefail
source "$(dirname "$0")/../examples/environment.sh"
cd "$ROOT"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" # the cores are taken by files, not by threads
exec python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile "$@"
