"""The subcommand `demo`: `hmst demo MODEL` serves a page that translates speech and text.

It needs Gradio and Babel (`pip install "fairseq_hmst[demo]"`), and no network: it serves this computer alone unless
--host says otherwise, and calls nobody.
"""

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from preprocess.errors import UserError, exit_status
from preprocess.files.program.options import add_options, read_options

from ..generators.decodings import DECODINGS
from .options import DemoOptions
from .recordings_folder import recordings_folder

FORGET_SECONDS = 600.0  # recordings are deleted after at most twice this time


def make_parser() -> argparse.ArgumentParser:
    """A parser of the options of this subcommand."""
    parser = argparse.ArgumentParser("hmst demo", description="Translate speech and text on a page in the browser.")
    parser.add_argument("model", help="folder that `hmst export` wrote, or its name on the hub")
    parser.add_argument("--device", default="cpu", help="torch device of speech encoder and model")
    parser.add_argument("--encoder", help="folder or hub name of the speech encoder, if the model only names it")
    parser.add_argument("--decoding", choices=DECODINGS, help="default: the model's")
    parser.add_argument("--beam", type=int, help="default: the model's")
    add_options(parser, DemoOptions)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Serve until interrupted; exit status 1 where the page cannot be served."""
    arguments = make_parser().parse_args(argv)
    logging.getLogger().setLevel(logging.WARNING)  # fairseq's import lets every library tell every step
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before it is imported

    def work() -> None:
        with ended_by_hangup(), recordings_folder(FORGET_SECONDS) as folder:  # before too: Gradio makes it its own
            _serve(arguments, folder)

    return exit_status(work, (UserError, ValueError, OSError))  # OSError: no port is free


def _serve(arguments: argparse.Namespace, folder: Path) -> None:
    try:
        import babel  # noqa: F401
        import gradio  # noqa: F401
    except ImportError as error:
        raise UserError("hmst demo needs Gradio and Babel", advice='pip install "fairseq_hmst[demo]"') from error
    from ..translate import Translator
    from .page import build_page, serve

    search = {"decoding": arguments.decoding, "beam": arguments.beam}
    options = read_options(DemoOptions, arguments)
    options.read_logins()  # refuses a bad file before the model is read
    translator = Translator.from_pretrained(arguments.model, arguments.device, arguments.encoder, **search)
    page = build_page(translator, options)
    try:
        print(f"serving {serve(page, options, translator.folder.examples, folder)} (Ctrl-C ends it)", flush=True)
        for line in warnings_of(options, page.server_port):
            print(line, file=sys.stderr, flush=True)
        threading.Event().wait()  # until a signal comes; Gradio's own waiting takes it for a usual end
    finally:
        page.close(verbose=False)


def warnings_of(options: DemoOptions, port: int) -> Iterator[str]:
    """Warnings for whoever opens the page to other machines."""
    if not options.is_open:
        return
    where = "all addresses of this machine" if options.has_any_address else options.host
    yield f"listening on {where}, port {port}"
    if options.auth is None:
        yield (
            "warning: anyone who can reach this machine over the network can use the page, and so its processor; "
            "--auth FILE asks for a password"
        )
    else:
        yield "warning: passwords and recordings go over the network unencrypted; a proxy with TLS in front hides them"


@contextlib.contextmanager
def ended_by_hangup() -> Iterator[None]:
    """Leave the block, and so delete its recordings, when the terminal is closed; of SIGTERM `exit_status` sees."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGHUP, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
