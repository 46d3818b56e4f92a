"""`hmst-demo MODEL`: a page in the browser that translates what is recorded, uploaded or written, and shows how.

It needs Gradio (`pip install "fairseq_hmst[demo]"`), and no network: it serves this computer alone unless --host says
otherwise, and calls nobody.
"""

import argparse
import logging
import os
import sys
from typing import Any, Optional

DEFAULT_MINUTES = 10.0


def build_parser() -> argparse.ArgumentParser:
    """Options of hmst-demo."""
    parser = argparse.ArgumentParser("hmst-demo", description="Translate speech and text on a page in the browser.")
    parser.add_argument("model", help="folder that `python -m fairseq_hmst.export` wrote, or its name on the hub")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve; 0.0.0.0 opens the page to the network")
    parser.add_argument("--port", type=int, help="default: the first free one from 7860 on")
    parser.add_argument("--device", default="cpu", help="torch device of speech encoder and model")
    parser.add_argument("--encoder", help="folder or hub name of the speech encoder, if the model only names it")
    parser.add_argument("--decoding", choices=["attention", "ctc", "transducer", "joint"], help="default: the model's")
    parser.add_argument("--beam", type=int, help="default: the model's")
    parser.add_argument(
        "--max-minutes", type=float, default=DEFAULT_MINUTES, help="longest recording that the page takes"
    )
    return parser


def main(argv: Optional[list[str]] = None) -> int:
    """The command hmst-demo; serves until it is interrupted."""
    arguments = build_parser().parse_args(argv)
    logging.getLogger().setLevel(logging.WARNING)  # fairseq's import lets every library tell every step
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before it is imported
    try:
        import gradio  # noqa: F401
    except ImportError:
        print('error: hmst-demo needs Gradio: pip install "fairseq_hmst[demo]"', file=sys.stderr)
        return 1
    from ..translate import ModelFolderError, Translator
    from .page import build_page

    options = {"decoding": arguments.decoding, "beam": arguments.beam}
    try:
        translator = Translator.from_pretrained(arguments.model, arguments.device, arguments.encoder, **options)
        page = build_page(translator, 60 * arguments.max_minutes)
        print(f"serving {serve(page, arguments.host, arguments.port)} (Ctrl-C ends it)", flush=True)
    except (ModelFolderError, ValueError, OSError) as error:  # OSError: no port is free
        print(f"error: {error}", file=sys.stderr)
        return 1
    page.block_thread()
    return 0


def serve(page: Any, host: str, port: Optional[int]) -> str:
    """Start serving the page in threads of this process; returns its address.

    Raises:
        OSError: the port is taken.
    """
    import gradio

    from .style import CSS

    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        share=False,
        ssr_mode=False,
        footer_links=[],
        quiet=True,
        head=f"<style>{CSS}</style>",  # as `css` it would lose what Gradio does not know of CSS
        theme=gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        prevent_thread_lock=True,
    )
    return address
