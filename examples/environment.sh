# Sourced by scripts: creates .venv in the repository's root, installs what constraints.txt pins, and activates it.
# An environment that was installed from the same files is used as it is.
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
wanted="$(cat "$ROOT/constraints.txt" "$ROOT/setup.cfg" | sha256sum | cut -d' ' -f1)"
if [ "$(cat "$ROOT/.venv/installed" 2>/dev/null)" != "$wanted" ]; then
    python="${PYTHON:-python3}"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "error: Python 3.11 or newer is needed, found $("$python" --version); set PYTHON=/path/to/python3.11" >&2
        exit 1
    }
    echo "== Installing into $ROOT/.venv (about 5 GB, a few minutes) =="
    "$python" -m venv --clear "$ROOT/.venv"
    # pip would compile with one process.
    "$ROOT/.venv/bin/pip" install --no-compile --progress-bar off --quiet -c "$ROOT/constraints.txt" -e "$ROOT[dev]"
    # Some files are of other versions of Python, which is no fault.
    PYTHONWARNINGS=ignore "$ROOT/.venv/bin/python" -m compileall -qq -j 0 "$ROOT/.venv/lib" || true
    echo "$wanted" > "$ROOT/.venv/installed"
fi
source "$ROOT/.venv/bin/activate"
# Threads that wait spin by default, which slows training manifold where anything else runs on the machine.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
