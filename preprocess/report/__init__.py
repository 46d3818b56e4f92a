"""The stage `inspect`: a data-bin -> one page with pictures to look at it, and the same figures as JSON.

The folder holds index.html, which needs no other file and no network, and report.json. All is read from the data-bin
alone.
"""

import argparse
import json
from pathlib import Path

from ..card import VERSION, hash_file, write_card
from ..errors import PreprocessError
from ..outputs import whole_folder
from .charts import draw_charts
from .data_bin import DataBin
from .figures import describe
from .page import make_page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the stage `inspect`."""
    parser.add_argument("data_bin", type=Path, metavar="DATA_BIN", help="data-bin that the stage binarize wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder to write: index.html and report.json")


def run(arguments: argparse.Namespace) -> None:
    """The stage `inspect`: data-bin -> index.html and report.json."""
    if arguments.out.resolve() == arguments.data_bin.resolve():
        raise PreprocessError(f"--out must be another folder than the data-bin, got {arguments.out}")
    data_bin = DataBin(arguments.data_bin)
    with whole_folder(arguments.out) as folder:
        figures = describe(data_bin)
        page = make_page(figures, draw_charts(figures))
        text = json.dumps(figures, ensure_ascii=False, indent=1) + "\n"
        (folder / "report.json").write_text(text, encoding="utf-8")
        (folder / "index.html").write_text(page, encoding="utf-8")
        hashes = {name: hash_file(folder / name) for name in ("index.html", "report.json")}
        card = {"stage": "inspect", "version": VERSION, "signature": data_bin.card["signature"], "hashes": hashes}
        write_card(folder, card)
    print(f"{arguments.out / 'index.html'}: look at it in a browser; {arguments.out / 'report.json'}: its figures")
    if figures["repeat_factors"]:
        print(figures["repeat_factors"]["advice"])
