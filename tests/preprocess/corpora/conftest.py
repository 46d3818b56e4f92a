"""A tree of MuST-C's shape, and the stage `manifest` run on it."""

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from preprocess.files.manifest import Utterance, read_manifest
from preprocess.stages import manifest as corpora

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples" / "must_c"))
from prompts_as_must_c import TreeSegment, write_tree


@dataclass(frozen=True)
class Tree:
    """A folder of en-fr and en-es, and what was written there."""

    root: Path
    segments: dict[str, list[TreeSegment]]


@pytest.fixture(scope="session")
def whole_tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Talks of 7 segments; do not change it."""
    root = tmp_path_factory.mktemp("must_c") / "MUSTC"
    return Tree(root, write_tree(root, ["fr", "es"], (20, 8, 8), segments_per_talk=7))


@pytest.fixture
def tree(whole_tree: Tree, tmp_path: Path) -> Tree:
    """A copy of one's own of en-fr."""
    shutil.copytree(whole_tree.root / "en-fr", tmp_path / "MUSTC" / "en-fr")
    return Tree(tmp_path / "MUSTC", whole_tree.segments)


@pytest.fixture
def run_manifest(tmp_path: Path) -> Callable[..., Path]:
    """`manifest CORPUS --root ROOT --out TMP/out OPTIONS`, errors not caught; returns TMP/out."""
    parser = argparse.ArgumentParser()
    corpora.add_arguments(parser)

    def run(corpus: str, root: Path, *options: object) -> Path:
        words = [corpus, "--root", root, "--out", tmp_path / "out", *options]
        corpora.run(parser.parse_args([str(word) for word in words]))
        return tmp_path / "out"

    return run


@pytest.fixture
def read_out(tmp_path: Path) -> Callable[[str], list[Utterance]]:
    """Rows of a split that `run_manifest` wrote."""
    return lambda split: read_manifest(tmp_path / "out" / f"{split}.tsv")
