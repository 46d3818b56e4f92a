"""Outputs of stages with random damage: the next command refuses them in one line, or makes the same of them."""

import contextlib
import io
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from damaged_outputs import TRIED, bounded, content_of, damages, try_damage
from hypothesis import given
from hypothesis import strategies as st
from spoken_corpus import arguments_of, make_corpus, run_binarize

from preprocess.__main__ import main
from preprocess.data_bin.reader import DataBinReader
from preprocess.errors import UserError
from preprocess.files.cards.named_files import hash_files, list_files
from preprocess.files.cards.stage_cards import ManifestCard, ManifestFilters
from preprocess.report.figures.data_bin_figures import describe_data_bin

EXAMPLES = 40  # of each output


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs of all stages, with a card of the manifests."""
    folder = tmp_path_factory.mktemp("damaged") / "corpus"
    make_corpus(folder)
    (folder / "manifest" / "silence.wav").unlink()  # texts and units alone are read
    filters, manifests = ManifestFilters(None, None, None), folder / "manifest"
    hashes = hash_files(manifests, list_files(manifests))
    ManifestCard(corpus="tsv", counts={}, filters=filters, filtered={}, errors={}, hashes=hashes).write(manifests)
    run_binarize(folder)
    return folder


class Refused(UserError):
    """What a command prints when it refuses an input."""


def command(*arguments: str) -> None:
    """Run a command of `preprocess`; its error is raised again."""
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(io.StringIO()):
        status = main([*arguments])
    if status:
        raise Refused("\n".join(printed.getvalue().split("error: ", 1)[1].splitlines()))


@pytest.fixture(autouse=True)
def quick(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr(os, "fsync", lambda file: None)


def binarize(corpus: Path) -> dict[str, bytes]:
    """Files of a data-bin made anew."""
    shutil.rmtree(corpus / "again", ignore_errors=True)
    command(*arguments_of(corpus)[:-2], "--out", str(corpus / "again"))
    return content_of(corpus / "again")


def inspect(corpus: Path) -> str:
    """Figures that `inspect` shows."""
    return describe_data_bin(DataBinReader(corpus / "data-bin")).to_json()


@pytest.mark.parametrize(
    ("output", "use"),
    [
        ("manifest", binarize),
        ("kmeans", binarize),
        ("units", binarize),
        ("subwords", binarize),
        ("data-bin", inspect),
    ],
)
def test_what_is_damaged_is_refused_in_one_line_or_gives_the_same(
    corpus: Path, output: str, use: Callable[[Path], object]
):
    expected, files = use(corpus), content_of(corpus / output)

    @bounded(EXAMPLES)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        damage = data.draw(damages(files))
        try_damage(output, damage, corpus / output, lambda: use(corpus), expected, UserError)

    check()
    assert TRIED[output, "refused"] > EXAMPLES / 2
