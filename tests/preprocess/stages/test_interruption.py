"""Every stage, killed (SIGKILL) at any moment and started again, ends with the bytes of a run that nobody stopped.

Two kinds of moments, drawn at random: at a change of a file, of which there are 9 to 130 in these stages, and after a
time. Each stage starts from the outputs of an uninterrupted run of those before it.
"""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_stages import ForkServer, Outcome

STAGES = {
    "manifest": "manifest tsv --root {corpus} --src-lang en --tgt-lang fr --out {out}/manifest",
    "kmeans": "kmeans --manifest {out}/manifest/train.tsv --extractor mfcc --clusters 12 --out {out}/kmeans",
    "units": "units --manifest {out}/manifest/train.tsv --kmeans {out}/kmeans --out {out}/units/train.units",
    "subwords": "subwords --units {out}/units/train.units --source-text {out}/manifest/train.tsv "
    "--target-text {out}/manifest/train.tsv --unit-vocab 12 --source-vocab 17 --target-vocab 20 --out {out}/subwords",
    "binarize": "binarize --manifest-dir {out}/manifest --units-dir {out}/units --subwords {out}/subwords "
    "--out {out}/data-bin",
    "run": "run {corpus}/recipe.yaml --out {out}/recipe",
}
RECIPE = """
manifest: {corpus: tsv, root: ., src-lang: en, tgt-lang: fr}
kmeans: {extractor: mfcc, clusters: 12}
subwords: {unit-vocab: 12, source-vocab: 17, target-vocab: 20}
"""
KILLS_OF_EACH = 4  # by changes, and half as many by time


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


@pytest.fixture
def corpus(make_manifest) -> Path:
    path = make_manifest(count=16)
    (path.parent / "recipe.yaml").write_text(RECIPE)
    return path.parent


def run(server: ForkServer, stage: str, corpus: Path, out: Path, **kill: float) -> Outcome:
    log = out.with_suffix(".log")
    outcome = server.run(STAGES[stage].format(corpus=corpus, out=out).split(), log, **kill)
    assert outcome.was_killed or outcome.status == 0, log.read_text()
    return outcome


def tree(folder: Path) -> dict[str, bytes]:
    """The files of a folder, but the one that holds times of change."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "hashes.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_killed_at_any_moment_and_started_again_every_stage_ends_with_the_same_bytes(
    server: ForkServer, corpus: Path, tmp_path_factory: pytest.TempPathFactory
):
    generator = random.Random(0)
    folder = tmp_path_factory.mktemp("out")
    whole, before, killed = folder / "whole", folder / "before", folder / "killed"
    num_kills = 0
    before.mkdir()
    for stage in STAGES:
        undisturbed = run(server, stage, corpus, whole)
        moments = [{"kill_at": generator.randint(1, undisturbed.changes)} for _ in range(KILLS_OF_EACH)]
        moments += [{"kill_after": generator.uniform(0, undisturbed.seconds)} for _ in range(KILLS_OF_EACH // 2)]
        shutil.copytree(before, killed)
        for moment in moments:
            num_kills += run(server, stage, corpus, killed, **moment).was_killed
        run(server, stage, corpus, killed)
        assert tree(killed) == tree(whole), stage
        shutil.rmtree(killed)
        shutil.rmtree(before)
        shutil.copytree(whole, before)
    assert num_kills >= 20
