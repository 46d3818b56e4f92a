"""Properties: what is escaped comes back, in one field of one line of UTF-8."""

import json

from hypothesis import given
from hypothesis import strategies as st

from preprocess.files.reading.escaping import escape_breaks, escape_field, to_json, unescape_field

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text("\\\t\n\r\udce4nrtu0\u2028\0\"'")


@given(ANY_TEXT)
def test_a_field_comes_back_from_a_line(text: str):
    field = escape_field(text)
    field.encode()  # no surrogate is left
    assert not set(field) & set("\t\n\r")
    assert unescape_field(field) == text


@given(st.dictionaries(ANY_TEXT, ANY_TEXT))
def test_json_comes_back(content: dict[str, str]):
    assert json.loads(to_json(content, indent=2).encode()) == content


def test_plain_text_stays_as_it_is():
    assert escape_field('a "b" ü\u2028') == 'a "b" ü\u2028'
    assert to_json({"a": "ü"}) == '{"a": "ü"}'


def test_a_message_is_one_line_and_otherwise_as_it_was():
    assert escape_breaks("a\tb\nc\rd \\ 'e'") == r"a\tb\nc\rd" + " \\ 'e'"
