"""Updates as growing text, in a terminal, and as JSON."""

import io
import json

import pytest

from fairseq_hmst.live.formats import GrowingText, JsonLines, Terminal
from fairseq_hmst.live.update import Update

UPDATES = [
    Update("Lundi", " vingt et", 1.5, 0.03125, 3),
    Update("", " vingt-et-un", 2.0, 0.01, 1),
    Update(' 21 "é"\u2028.', "", 2.04, 0.0, 1),
]


class FakeTerminal(io.StringIO):
    def isatty(self):
        return True


def written_by(make, stream):
    writer = make(stream)
    for update in UPDATES:
        writer.add(update)
    writer.close()
    return stream.getvalue()


def test_growing_text_is_what_is_certain():
    assert written_by(GrowingText, io.StringIO()) == 'Lundi 21 "é"\u2028.\n'


def test_a_line_of_json_is_an_update():
    lines = written_by(JsonLines, io.StringIO()).split("\n")
    assert [json.loads(line) for line in lines[:-1]] == [
        {"heard": 1.5, "spent": 0.0312, "committed": "Lundi", "open": " vingt et"},
        {"heard": 2.0, "spent": 0.01, "committed": "", "open": " vingt-et-un"},
        {"heard": 2.04, "spent": 0.0, "committed": ' 21 "é"\u2028.', "open": ""},
    ]


@pytest.fixture
def narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "12")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return FakeTerminal()


def test_a_terminal_shows_what_may_change_in_grey_and_keeps_full_lines(narrow_terminal):
    writer = Terminal(narrow_terminal)
    writer.add(Update("un deux", " trois", 1.0, 0.0, 1))
    assert "un deux\x1b[2m" in narrow_terminal.getvalue()
    writer.add(Update(" trois quatre", "", 2.0, 0.0, 1))
    writer.close()
    *_, shown_first, last = narrow_terminal.getvalue().split("\x1b[2K")
    assert shown_first.strip() == last.partition("\n")[0] == "trois quatre"
