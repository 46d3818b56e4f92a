"""Every command and statement of README and docs that can be run is run, page by page, on a small corpus.

The commands of the front page come first: other pages read what they make.
"""

import shutil
from pathlib import Path

import pytest
from doc_pages import PAGES, Block, blocks_of, name_of
from doc_runs import make_workplace, run_block
from toy import REPOSITORY

RUNNABLE = {"bash", "python", "yaml"}
SHOWN_ONLY = {"text", "mermaid", "bibtex"}
SCORES = "hmst score --data data/data-bin --hypothesis results/generate-test.txt --format json > scores.json"
# First command of each block that is not run; the reason stands above the block.
NOT_RUN = {
    "README.md": [
        "bash examples/prompts/run.sh",
        "source examples/environment.sh",
        "pip install .",
    ],
    "docs/commands.md": ["fairseq-train", "pip install --require-hashes", 'eval "$(hmst completion bash)"'],
    "docs/decoding.md": ["hmst score --data data/data-bin"],
    "docs/large-corpora.md": ["dask scheduler --port 8786"],
    "docs/live.md": ["arecord", "pip install '.[live]'"],
    "docs/measurements.md": ["bash examples/benchmarks/gpu.sh"],
    "docs/python.md": ["from preprocess.speech.shards import AudioOptions"],
    "docs/recipes.md": ["hmst run my_recipe.yaml"],
    "docs/training.md": [
        "hmst train data/data-bin --arch hmst_ctc_attention_tiny",
        "hmst train data/data-bin --streams st,mt",
        "torchrun --nnodes 4",
        "hmst preprocess subwords",
    ],
    "docs/translate.md": ["pip install '.[demo]'"],
}


def runnable_blocks(page: Path) -> list[Block]:
    return [block for block in blocks_of(page) if block.language in RUNNABLE and not block.reason]


PAGES_WITH_BLOCKS = [page for page in PAGES if runnable_blocks(page) and page.name != "README.md"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the front page was followed from the corpus to the translation."""
    folder = tmp_path_factory.mktemp("workplace")
    make_workplace(folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        names: dict[str, object] = {}
        for block in runnable_blocks(REPOSITORY / "README.md"):
            run_block(block, names)
        shutil.copytree("results", "other")
        shutil.copyfile("data/data-bin/test.st.ref.txt", "references.txt")
        run_block(Block("", 1, "bash", SCORES, ""), {})
    return folder


def test_the_front_page_leads_from_a_corpus_to_a_translation(workplace: Path):
    made = ("data/data-bin", "checkpoints/checkpoint_best.pt", "results/generate-test.txt", "model/model.safetensors")
    made += ("data/train/report.json", "data/train/model/model.safetensors")
    assert [name for name in made if not (workplace / name).exists()] == []


@pytest.mark.parametrize("page", PAGES_WITH_BLOCKS, ids=name_of)
def test_blocks_of_a_page_run_in_their_order(page: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(workplace)
    names: dict[str, object] = {}
    for block in runnable_blocks(page):
        run_block(block, names)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_that_are_not_run_are_listed_and_have_a_reason(page: Path):
    left_out = [block for block in blocks_of(page) if block.reason]
    begins = NOT_RUN.get(name_of(page), [])
    assert len(left_out) == len(begins)
    for block, begin in zip(left_out, begins, strict=True):
        assert block.code.startswith(begin)
        assert len(block.reason) > 10


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_its_language(page: Path):
    assert [block.line for block in blocks_of(page) if block.language not in RUNNABLE | SHOWN_ONLY] == []
