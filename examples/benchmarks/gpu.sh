#!/usr/bin/env bash
# Time and memory on a GPU in at most 8 minutes, its installation included: losses, decoding, units, training, k-means.
# Every part has a bound; one that fails is named, and the rest goes on (gpu.yaml, run_parts.py).
#
#   bash examples/benchmarks/gpu.sh            on a GPU
#   bash examples/benchmarks/gpu.sh --small    all parts at toy size on a CPU (gpu_small.yaml)
#
#   OUT=DIR       where results.jsonl, table.md and log.txt are written (default examples/benchmarks/out)
#   WHEELS=DIR    take the Python of this machine (PYTHON, default python3) with its torch as it is, and what it lacks
#                 from the wheels in DIR into build/packages (default: .venv, from the package index)
#   UNITS=DIR     with time left, go on with the experiments of examples/evidence/grids/help_pages_gpu.yaml
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
parts=gpu.yaml limit=480
[ "${1:-}" != --small ] || parts=gpu_small.yaml limit=3600

if [ -n "${WHEELS:-}" ]; then
    root="$(dirname "$(dirname "$here")")" python="${PYTHON:-python3}"
    packages="$root/build/packages"
    export PYTHONPATH="$root:$packages${PYTHONPATH:+:$PYTHONPATH}" PATH="$packages/bin:$PATH"
    missing="$("$python" "$here/missing_packages.py")"
    [ -z "$missing" ] ||
        "$python" -m pip install --quiet --no-index --find-links "$WHEELS" --no-deps --target "$packages" $missing
else
    source "$here/../environment.sh"
    python=python
fi
exec "$python" "$here/run_parts.py" "$here/$parts" --out "${OUT:-$here/out}" --seconds $((limit - SECONDS))
