"""The tables of options in README and docs against the commands themselves, in both directions."""

import fnmatch
import functools

import pytest
from doc_options import CommandOption, command_names, options_of
from doc_pages import OptionRow, option_rows


@functools.cache
def rows_by_command() -> dict[str, list[OptionRow]]:
    """Rows of all tables that are of a command; `preprocess manifest *` is of every corpus."""
    rows = list(option_rows())
    return {name: [row for row in rows if is_of(row, name)] for name in command_names()}


def is_of(row: OptionRow, command: str) -> bool:
    return any(fnmatch.fnmatchcase(command, pattern) for pattern in row.commands)


@functools.cache
def options_by_name(command: str) -> dict[str, CommandOption]:
    return {option.name: option for option in options_of(command)}


@pytest.mark.parametrize("command", command_names())
def test_tables_have_every_option_of_a_command_once_and_no_other(command: str):
    named = [row.name for row in rows_by_command()[command]]
    assert sorted(named) == sorted(options_by_name(command))


@pytest.mark.parametrize("command", command_names())
def test_tables_have_the_defaults_of_a_command(command: str):
    options = options_by_name(command)
    written = {row.name: row.default for row in rows_by_command()[command]}
    assert written == {name: options[name].default for name in written}


@pytest.mark.parametrize("command", command_names())
def test_tables_name_every_choice_of_an_option(command: str):
    options = options_by_name(command)
    for row in rows_by_command()[command]:
        text = " ".join(row.cells)
        assert [choice for choice in options[row.name].choices if f"`{choice}`" not in text] == [], row.name


def test_every_table_is_of_a_command_that_exists():
    patterns = {pattern for row in option_rows() for pattern in row.commands}
    assert [pattern for pattern in sorted(patterns) if not fnmatch.filter(command_names(), pattern)] == []
