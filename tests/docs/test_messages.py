"""The messages of docs/troubleshooting.md against those in the sources, and their links and number."""

import ast
import functools
import re
from collections.abc import Iterator

import pytest
from doc_pages import cells_of, text_of
from toy import REPOSITORY

PAGE = REPOSITORY / "docs" / "troubleshooting.md"
FEWEST_FIXED = 12  # characters of a message in the sources that are not values
LEAST_SHARE = 0.2  # of a quoted message that they must be


def quoted_messages() -> list[str]:
    """First cells of the tables of messages, but for those of fairseq."""
    text = text_of(PAGE).partition("## Messages of fairseq")[0]
    cells = [cells_of(line)[0] for line in text.splitlines() if line.startswith("| `")]
    return [cell.removeprefix("`").removesuffix("`") for cell in cells]


@functools.cache
def messages_of_sources() -> list[tuple[int, re.Pattern[str]]]:
    """Every string of the packages: its fixed characters, and itself with anything in place of its values."""
    return [(fixed, re.compile(pattern, re.DOTALL)) for fixed, pattern in sorted(set(find_strings()))]


def find_strings() -> Iterator[tuple[int, str]]:
    for package in ("preprocess", "fairseq_hmst"):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    parts = [part for text in re.split("%[sd]", node.value) for part in (text, None)][:-1]
                else:
                    continue
                fixed = len("".join(str(part) for part in parts if part is not None).strip())
                if fixed >= FEWEST_FIXED:
                    yield fixed, "".join(".+?" if part is None else re.escape(str(part)) for part in parts)


def is_in_sources(message: str) -> bool:
    return any(
        fixed >= LEAST_SHARE * len(message) and pattern.fullmatch(message) for fixed, pattern in messages_of_sources()
    )


@pytest.mark.parametrize("message", quoted_messages())
def test_a_quoted_message_is_in_the_sources(message: str):
    assert is_in_sources(message)


def test_a_message_that_nobody_prints_is_not_in_the_sources():
    assert not is_in_sources("expected 9 comma-separated fields (8 commas), found 8")
    assert not is_in_sources("the model is tired and cannot decode: 9 of 10 layers sleep")


def test_there_are_twenty_messages_at_least_each_once():
    messages = quoted_messages()
    assert len(messages) >= 20
    assert len(set(messages)) == len(messages)


def test_every_message_has_a_cause_and_a_mend():
    rows = [cells_of(line) for line in text_of(PAGE).splitlines() if line.startswith("| `")]
    assert [row for row in rows if not all(row)] == []
