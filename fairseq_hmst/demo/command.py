"""The subcommand `demo`: `hmst demo MODEL` serves a page that translates speech and text.

It needs Gradio and Babel (`pip install "fairseq_hmst[demo]"`), and no network: it serves this computer alone unless
--host says otherwise, and calls nobody.
"""

import argparse
import logging
import os
import sys

from preprocess.errors import OptionError, UserError
from preprocess.files.options import add_options, read_options

from ..generators.decodings import DECODINGS
from .options import DemoOptions


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
    try:
        import babel  # noqa: F401
        import gradio  # noqa: F401
    except ImportError:
        print('error: hmst demo needs Gradio and Babel: pip install "fairseq_hmst[demo]"', file=sys.stderr)
        return 1
    from ..translate import Translator
    from .page import build_page, serve

    options = read_options(DemoOptions, arguments)
    search = {"decoding": arguments.decoding, "beam": arguments.beam}
    try:
        translator = Translator.from_pretrained(arguments.model, arguments.device, arguments.encoder, **search)
        page = build_page(translator, options.max_seconds)
        print(f"serving {serve(page, options, translator.folder.examples)} (Ctrl-C ends it)", flush=True)
    except (UserError, ValueError, OSError) as error:  # OSError: no port is free
        print(f"error: {error.as_flag if isinstance(error, OptionError) else error}", file=sys.stderr)
        return 1
    page.block_thread()
    return 0
