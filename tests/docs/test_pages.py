"""README, CONTRIBUTING and docs as pages: their size, and that what they name is there."""

import re
from pathlib import Path

import pytest
from doc_options import command_names, options_of
from doc_pages import PAGES, anchors_of, blocks_of, links_of, name_of, prose_of, text_of, words_by_heading
from toy import REPOSITORY

from fairseq_hmst.generators.followed.table import SUPPORT

README = REPOSITORY / "README.md"
# READMEs of examples link to the pages, and must follow when a heading changes
LINKING = [*PAGES, *sorted(REPOSITORY.glob("examples/*/README.md"))]
PATH = re.compile(r"(?<![\w./-])((?:examples|docs|tests|preprocess|fairseq_hmst|\.ci|\.github)/[\w./-]*[\w/])")
FLAG = re.compile(r"(?<![\w-])--[a-z][\w-]*\w")
MODULE = re.compile(r"(?<![\w./-])(?:preprocess|fairseq_hmst)(?:\.[a-z_]\w*)+")
MOST_WORDS = {"README.md": 130, "CONTRIBUTING.md": 420}  # below one heading
# Options of other programs than those whose tables stand in docs/, by program
OTHERS = {
    "torchrun": "--nnodes --nproc_per_node --rdzv_backend --rdzv_endpoint --no-python",
    "dask, ray": "--port --nthreads --head --address",
    "examples/slurm/cluster.py": "--jobs --cpus --memory --directive --gres",
    "examples/benchmarks/gpu.sh": "--small",
    "examples/benchmarks": "--data --checkpoint --shape --seconds --rounds --frames --clusters --alone --updates",
    "examples/benchmarks/live.py": "--corpus",
    "examples/benchmarks/equal_systems.py": "--sentences --pairs --draws",
    "simulstream": "--speech-processor-config --server-config --wav-list-file --metrics-log-file --uri",
    "sacrebleu": "--paired-ar --paired-bs",
    "convmv": "--nfc",
    "pip": "--require-hashes --no-deps --wheel-dir",
    "every command": "--help --version",
}
OF_COMPONENTS = "--warmup-updates --sacrebleu-tokenizer --sacrebleu-lowercase"  # of a --lr-scheduler, of a --scoring


def options_of_fairseq() -> set[str]:
    """Options of fairseq's commands, whatever components are chosen."""
    from fairseq import options

    parsers = [options.get_training_parser(), options.get_interactive_generation_parser()]
    return {flag for parser in parsers for flag in parser._option_string_actions} | set(OF_COMPONENTS.split())


def test_the_front_page_is_short():
    assert 6_500 <= README.stat().st_size <= 8_200


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_heading_has_a_long_text_below_it(page: Path):
    counts = words_by_heading(page)
    for heading, number in counts:
        print(f"{name_of(page)}: {number:4d} words below '{heading}'")  # `pytest -rP` shows the report
    most = MOST_WORDS.get(name_of(page), 200)
    assert [(heading, number) for heading, number in counts if number > most] == []


@pytest.mark.parametrize("package", ["preprocess", "fairseq_hmst"])
def test_the_folders_of_a_package_are_in_its_table(package: str):
    page = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8")
    for folder in sorted(path for path in (REPOSITORY / package).glob("*/") if path.name != "__pycache__"):
        (row,) = [line for line in page.splitlines() if re.match(rf"\| [^|]*`{folder.name}/`", line)]
        for below in sorted(path for path in folder.glob("*/") if path.name != "__pycache__"):
            assert re.search(rf"`(\w+/)*{below.name}/`", row), f"{package}/{folder.name}/{below.name}"


@pytest.mark.parametrize("page", LINKING, ids=name_of)
def test_links_lead_somewhere(page: Path):
    broken = []
    for link in links_of(page):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_a_page_names_are_there(page: Path):
    named = {path.rstrip(".") for path in PATH.findall(text_of(page))}
    made_by_commands = re.compile(r"examples/\w+/out\b")
    missing = [path for path in sorted(named) if not made_by_commands.match(path) and not (REPOSITORY / path).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_in_folders_are_named_from_the_root(page: Path):
    named = re.findall(r"`([\w.]+/[\w./]+\.(?:py|md|sh|yaml))`", prose_of(page))
    assert [path for path in named if not (REPOSITORY / path).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_modules_that_a_page_names_can_be_imported_or_are_definitions_of_one(page: Path):
    unknown = [name for name in sorted(set(MODULE.findall(text_of(page)))) if not is_module(name)]
    assert unknown == []


def is_module(name: str) -> bool:
    parts = name.split(".")
    folder = REPOSITORY.joinpath(*parts)
    return folder.is_dir() or folder.with_suffix(".py").is_file()


def test_options_that_pages_name_exist():
    known = {option.name for command in command_names() for option in options_of(command)}
    known |= {flag for flags in OTHERS.values() for flag in flags.split()} | options_of_fairseq()
    known |= {f"--{option.replace('_', '-')}" for option in SUPPORT}  # itself compared with fairseq's
    unknown = {
        (name_of(page), flag)
        for page in PAGES
        for flag in FLAG.findall(re.sub(r"<!--.*?-->|\]\([^)]*\)|^\|[-|]*\|$", "", text_of(page), flags=re.MULTILINE))
        if flag not in known
    }
    assert unknown == set()


def test_the_first_two_commands_of_the_front_page_need_no_set_up():
    first = next(blocks_of(README))
    commands = [line.split("#")[0].strip() for line in first.code.splitlines()]
    assert commands == ["bash examples/prompts/run.sh", "bash tests/run.sh"]
    for command in commands:
        script = (REPOSITORY / command.split()[1]).read_text(encoding="utf-8")
        assert re.search(r"^source .*environment\.sh", script, re.MULTILINE)


def test_the_pictures_of_the_front_page_are_light():
    pictures = [REPOSITORY / link for link in links_of(README) if link.endswith((".svg", ".png"))]
    assert len(pictures) == 2
    assert all(path.stat().st_size < 200_000 for path in pictures)
    svg = pictures[0].read_text(encoding="utf-8")
    assert not re.search(r"(?:href|src)=|url\((?!#)|@import|<image", svg), "it must need no other file"


def test_every_page_of_docs_is_in_the_index_and_no_page_is_a_stub():
    index = links_of(REPOSITORY / "docs" / "README.md")
    pages = [page for page in PAGES if page.parent.name == "docs" and page.name != "README.md"]
    assert [page.name for page in pages if page.name not in index] == []
    assert all(len(prose_of(page).split()) > 150 for page in pages)
