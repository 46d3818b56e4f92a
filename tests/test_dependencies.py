"""Packages that are asked for are used and the other way round; pages and lists of versions agree with them."""

import ast
import configparser
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = {"pyyaml": "yaml", "ve-fairseq": "fairseq"}  # distribution -> what it is imported as
# They come with fairseq, Gradio and Dask, whose interface they are part of; the last is of type checkers alone.
INTERFACES = {"fairseq_cli", "hydra", "omegaconf", "fastapi", "starlette", "uvicorn", "distributed", "_typeshed"}
NAME = re.compile(r"[\w-]+")


def requirements() -> dict[str, list[str]]:
    """Requirements by extra; "": without one."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = {"": config["options"]["install_requires"], **config["options.extras_require"]}
    return {extra: lines.split("\n")[1:] for extra, lines in listed.items()}


def names(lines: list[str]) -> set[str]:
    return {NAME.match(line)[0] for line in lines}


def imported(package: str) -> Iterator[str]:
    """Top-level modules of other distributions that a package imports, wherever in its files."""
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield node.module.partition(".")[0]


def test_what_is_asked_for_is_imported_and_what_is_imported_is_asked_for():
    used = {name for package in ("preprocess", "fairseq_hmst") for name in imported(package)}
    used -= sys.stdlib_module_names | {"preprocess", "fairseq_hmst"}
    asked = {extra: {MODULES.get(name, name) for name in names(lines)} for extra, lines in requirements().items()}
    assert asked[""] <= used
    assert used <= set().union(*asked.values()) | INTERFACES | {"ray", "comet"}


def test_the_page_says_what_each_package_is_for():
    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    table = text.partition("### What each package is for\n")[2].partition("\n#")[0]
    described = set(
        re.findall(r"`([\w-]+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    )
    asked = {extra: names(lines) for extra, lines in requirements().items() if extra not in ("dev", "dask")}
    assert described - {"dask", "dask-jobqueue"} == set().union(*asked.values())


def test_the_list_with_hashes_has_the_versions_of_the_list_without():
    pins = dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    blocks = re.split(r"\n(?=[\w.-]+(?:\[[\w,]+\])?==)", (ROOT / "constraints-hashed.txt").read_text())[1:]
    hashed = {}
    for block in blocks:
        name, version = re.match(r"([\w.-]+?)(?:\[[\w,]+\])?==([^\s;]+)", block).groups()
        hashed[_normal(name)] = version
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), name
    assert hashed.items() >= {(_normal(name), version) for name, version in pins.items()}
    assert len(blocks) == len(hashed)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
