"""The mechanical part of the rule for docstrings: a first line that can be read without the signature."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAX_WORDS = 16  # of the first clause; shapes in parentheses do not count
FRAGMENT = re.compile(
    r"(Of|That|Those|By|As|What|How|Where|When|Who|Which|From|For|With|In|At|On|To|If|So|But|And)\b|\(|`?-"
)
NOT_PLAIN = re.compile(
    r"\b(anew|shall|weighed|wherein|thereof|whereof)\b|\b(it|which|that|what|who|they|there) stands?\b"
)
FOLDERS = sorted(
    {path.parent for name in ("preprocess", "fairseq_hmst", "examples") for path in (ROOT / name).rglob("*.py")}
)


def docstrings_of(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"
            docstring = ast.get_docstring(node)
            if docstring is not None:
                yield name, docstring


def faults_of(docstring: str) -> str:
    """Why a docstring breaks the rule; "" if it keeps it."""
    first = docstring.split("\n")[0]
    if FRAGMENT.match(first):
        return f"begins like a fragment: {first}"
    if not first.endswith((".", ":")):
        return f"its first line has no end: {first}"
    clause = re.split(r"(?<=[.:;])\s", re.sub(r"\([^)]*\)", "", first))[0]
    if len(clause.split()) > MAX_WORDS:
        return f"its first clause has more than {MAX_WORDS} words: {first}"
    found = NOT_PLAIN.search(docstring)
    return f"is not plain English: {found[0]}" if found else ""


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_docstrings_can_be_read_without_the_signature(folder: Path):
    found = {name: faults_of(text) for path in sorted(folder.glob("*.py")) for name, text in docstrings_of(path)}
    assert {name: fault for name, fault in found.items() if fault} == {}


@pytest.mark.parametrize(
    ("docstring", "fault"),
    [
        ("That the model knows.", "fragment"),
        ("(B, T, D) -> (B, T, D).", "fragment"),
        ("Languages that the model knows", "no end"),
        ("One thing after another that a reader has to keep in mind until at last the line ends.", "more than 16"),
        ("The weights.\n\nThey are made anew.", "anew"),
    ],
)
def test_a_docstring_that_breaks_the_rule_is_caught(docstring: str, fault: str):
    assert fault in faults_of(docstring)
    assert faults_of("Target languages that the model knows.") == ""
