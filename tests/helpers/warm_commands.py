"""Programs of fairseq and of this package in forks of a process that has imported fairseq already.

The imports take most of the time of a small training or decoding. `warm_programs` gives a folder to put first on the
path: each program in it hands its arguments, variables, folder and files to a server, whose fork begins where a fresh
process stands after fairseq's imports; this package is not among them. A training by several processes starts Python
again by itself, and other PYTHON variables mean other imports: these run as fresh processes.
"""

import atexit
import functools
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

PROGRAMS = {
    "fairseq-train": "fairseq_cli.train:cli_main",
    "fairseq-generate": "fairseq_cli.generate:cli_main",
    "fairseq-interactive": "fairseq_cli.interactive:cli_main",
    "fairseq-validate": "fairseq_cli.validate:cli_main",
    "fairseq-hydra-train": "fairseq_cli.hydra_train:cli_main",
    "hmst": "fairseq_hmst.command.hmst:main",
}
PRELOADED = ("fairseq_cli.train", "fairseq_cli.generate", "fairseq_cli.interactive", "fairseq_cli.validate")
CLIENT = """\
#!{python} -I
import json, os, socket, sys
words, variables = sys.argv[1:], dict(os.environ)
name = os.path.basename(sys.argv[0])
python = {{key: value for key, value in variables.items() if key.startswith("PYTHON")}}
if python != {python_variables!r} or any("distributed" in word for word in words):
    os.execv({folder!r} + "/" + name, [name, *words])
client = socket.socket(socket.AF_UNIX)
client.connect({address!r})
request = json.dumps([[name, *words], os.getcwd(), variables], ensure_ascii=True).encode()
socket.send_fds(client, [len(request).to_bytes(8, "big")], [0, 1, 2])
client.sendall(request)
sys.exit(int(client.recv(8) or b"1"))
"""


@functools.cache
def warm_programs() -> Path:
    """The folder of the programs; the server lives as long as this process."""
    folder = tempfile.TemporaryDirectory(prefix="warm")
    address = f"{folder.name}/server"
    values = {
        "python": sys.executable,
        "python_variables": {name: value for name, value in os.environ.items() if name.startswith("PYTHON")},
        "folder": str(Path(sys.executable).parent),
        "address": address,
    }
    for name in PROGRAMS:
        program = Path(folder.name, name)
        program.write_text(CLIENT.format(**values))
        program.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, __file__, address], stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    server.stdout.readline()  # it listens

    def end() -> None:
        server.kill()
        server.wait()
        folder.cleanup()

    atexit.register(end)
    return Path(folder.name)


def serve(address: str) -> None:
    """Run what clients ask for, each in a fork, until killed."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    print("listening", flush=True)
    os.dup2(2, 1)  # an import may print
    sys.path[0] = str(Path(sys.executable).parent)  # where the programs are
    for module in PRELOADED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _run(client)
        client.close()


def _run(client: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(client, 8, 3)
    with client.makefile("rb") as reader:
        command, folder, variables = json.loads(reader.read(int.from_bytes(size, "big")))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.argv = command
    client.sendall(str(_call(PROGRAMS[command[0]])).encode())
    os._exit(0)


def _call(program: str) -> int:
    module, _, function = program.partition(":")
    try:
        status = getattr(importlib.import_module(module), function)()
    except SystemExit as error:
        status = error.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if isinstance(status, str):
        print(status, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    return status if isinstance(status, int) else int(status is not None)


if __name__ == "__main__":
    serve(sys.argv[1])
