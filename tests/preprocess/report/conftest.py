"""A small data-bin and its report."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cards import edit_card
from faulty_corpus import make_faulty_data_bin
from spoken_corpus import make_corpus, run_binarize

from preprocess.data_bin.reader import DataBinReader
from preprocess.report.figures.data_bin_figures import DataBinFigures, describe_data_bin
from preprocess.stages import inspect as report


@pytest.fixture(scope="package")
def run_lengths() -> dict[str, int]:
    """What the units' card of train says of runs."""
    return {"1": 300, "2": 90, "7": 10}


@pytest.fixture(scope="package")
def corpus(tmp_path_factory: pytest.TempPathFactory, run_lengths: dict[str, int]) -> Path:
    """Manifests, units, subwords and data-bin of `spoken_corpus`; do not change it."""
    folder = tmp_path_factory.mktemp("report") / "corpus"
    make_corpus(folder)
    edit_card(folder / "units" / "train.card.json", run_lengths=run_lengths)
    run_binarize(folder, "--mt-text", folder / "mt.en", folder / "mt.fr")
    return folder


@pytest.fixture(scope="package")
def inspect() -> Callable[[Path, Path], dict[str, Any]]:
    """Run the stage with its own parser, errors not caught; gives the figures."""

    def run(data_bin: Path, out: Path) -> dict[str, Any]:
        parser = argparse.ArgumentParser()
        report.add_arguments(parser)
        report.run(parser.parse_args([str(data_bin), "--out", str(out)]))
        return json.loads((out / "report.json").read_text(encoding="utf-8"))

    return run


@pytest.fixture(scope="package")
def report_folder(corpus: Path, inspect: Callable) -> Path:
    """index.html and report.json of the data-bin; do not change it."""
    inspect(corpus / "data-bin", corpus / "report")
    return corpus / "report"


@pytest.fixture(scope="package")
def figures(report_folder: Path) -> dict[str, Any]:
    """The content of report.json."""
    return json.loads((report_folder / "report.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="package")
def described(corpus: Path) -> DataBinFigures:
    """The figures of which report.json is made."""
    return describe_data_bin(DataBinReader(corpus / "data-bin"))


@pytest.fixture(scope="package")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifests, units, subwords and data-bin of `faulty_corpus`; do not change it."""
    folder = tmp_path_factory.mktemp("faulty") / "corpus"
    make_faulty_data_bin(folder)
    return folder


@pytest.fixture(scope="package")
def faulty_figures(faulty: Path, inspect: Callable) -> dict[str, Any]:
    """The content of the report.json of `faulty`, which is in faulty/report."""
    return inspect(faulty / "data-bin", faulty / "report")
