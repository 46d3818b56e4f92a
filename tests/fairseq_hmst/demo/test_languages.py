"""Names of languages."""

import pytest

pytest.importorskip("babel", reason="needs the extra [demo]")

from fairseq_hmst.demo.languages import language_name, language_names


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("fr", "French"),
        ("la", "Latin"),
        ("pt-BR", "Brazilian Portuguese"),
        ("zh_Hans", "Simplified Chinese"),
        ("de-LU", "German (Luxembourg)"),
        ("en_XX", "English (XX)"),
        ("klingon", "klingon"),
    ],
)
def test_codes_become_names(code, expected):
    assert language_name(code) == expected


def test_several_are_joined():
    assert language_names(["en", "de"]) == "English, German"
