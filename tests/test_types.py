"""The annotations: few `Any`, `Optional` only where hydra reads it, no command line below commands."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAX_ANY_SHARE = 0.04
# The command line itself: these read `argparse.Namespace`, and what they call is given dataclasses.
COMMANDS = (
    *("preprocess/stages/*.py", "preprocess/__main__.py", "preprocess/files/program/options.py"),
    *("fairseq_hmst/*/command.py", "fairseq_hmst/average.py"),
)


def annotations_of(node: ast.AST) -> Iterator[ast.expr]:
    for found in ast.walk(node):
        if isinstance(found, ast.AnnAssign):
            yield found.annotation
        elif isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = found.args
            others = [other for other in (arguments.vararg, arguments.kwarg) if other is not None]
            for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *others]:
                if argument.annotation is not None:
                    yield argument.annotation
            if found.returns is not None:
                yield found.returns


def names_in(annotation: ast.expr) -> set[str]:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(annotation) if isinstance(node, ast.Attribute)}


def aliases_of_any(tree: ast.Module) -> set[str]:
    """Names that stand for a type with `Any` in it, such as `Card = dict[str, Any]`."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)]
    targets = {target.id for node in assigned if "Any" in names_in(node.value) for target in node.targets}
    return {"Any", *targets}


def any_share(package: str) -> float:
    """Share of a package's annotations that say `Any`, by itself or through an alias in the same file."""
    num_annotations = num_any = 0
    for path in (ROOT / package).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        aliases = aliases_of_any(tree)
        for annotation in annotations_of(tree):
            num_annotations += 1
            num_any += bool(names_in(annotation) & aliases)
    return num_any / num_annotations


@pytest.mark.parametrize("package", ["preprocess", "fairseq_hmst"])
def test_few_annotations_say_any(package: str):
    assert any_share(package) < MAX_ANY_SHARE


def test_optional_stands_only_in_what_hydra_reads():
    found = []
    for path in sorted([*(ROOT / "preprocess").rglob("*.py"), *(ROOT / "fairseq_hmst").rglob("*.py")]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        configs = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name.endswith("Config")]
        allowed = {id(node) for config in configs for node in config.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign | ast.FunctionDef) and id(node) not in allowed:
                own = [node.annotation] if isinstance(node, ast.AnnAssign) else list(annotations_of(node))
                found += [f"{path.relative_to(ROOT)}:{node.lineno}" for item in own if "Optional" in names_in(item)]
    assert found == []


def test_below_commands_nobody_sees_the_command_line():
    commands = {path for pattern in COMMANDS for path in ROOT.glob(pattern)}
    found = []
    for package in ("preprocess", "fairseq_hmst"):
        for path in set((ROOT / package).rglob("*.py")) - commands:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            if any("Namespace" in names_in(annotation) for annotation in annotations_of(tree)):
                found.append(str(path.relative_to(ROOT)))
    assert sorted(found) == []
