#!/usr/bin/env bash
# Sets up .venv and runs all tests; arguments go to pytest (such as -k units).
set -euo pipefail
source "$(dirname "$0")/../examples/environment.sh"
cd "$ROOT"
exec python -m pytest "$@"
