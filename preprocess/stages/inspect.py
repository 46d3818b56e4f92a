"""The stage `inspect`: a data-bin -> a page with warnings and pictures, and its figures as JSON.

The folder holds index.html, which needs no other file and no network, and report.json. All is read from the data-bin
alone.
"""

import argparse
from pathlib import Path

from ..data_bin.reader import DataBinReader
from ..files.cards.named_files import hash_files
from ..files.cards.stage_cards import REPORT_NAMES, ReportCard
from ..files.outputs.held import held_folder
from ..files.whole import whole_folder
from ..report.figures.data_bin_figures import describe_data_bin
from ..report.page.charts import draw_charts
from ..report.page.page import make_page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the stage `inspect`."""
    parser.add_argument("data_bin", type=Path, metavar="DATA_BIN", help="data-bin that the stage binarize wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder to write: index.html and report.json")


def run(arguments: argparse.Namespace) -> None:
    """Run the stage `inspect` with the options of a command line."""
    inspect_data_bin(arguments.data_bin, arguments.out)


def inspect_data_bin(path: Path, out: Path) -> ReportCard:
    """Write index.html and report.json of a data-bin into the folder `out`, and return its card.

    Raises:
        PreprocessError: the data-bin is not whole.
        OutputError: the folder cannot be written, or is or lies in the data-bin.
    """
    with held_folder(out, ReportCard, [path]), whole_folder(out, ReportCard) as folder:
        data_bin = DataBinReader(path)
        figures = describe_data_bin(data_bin)
        (folder / "report.json").write_text(figures.to_json(), encoding="utf-8")
        (folder / "index.html").write_text(make_page(figures, draw_charts(figures)), encoding="utf-8")
        card = ReportCard(signature=data_bin.card.signature, hashes=hash_files(folder, REPORT_NAMES))
        card.write(folder)
    print(f"{out / 'index.html'}: look at it in a browser; {out / 'report.json'}: its figures")
    if figures.repeat_factors:
        print(figures.repeat_factors.advice)
    print(*figures.checks.lines(), sep="\n")
    return card
