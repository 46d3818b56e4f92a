from pathlib import Path

import pytest
from help_tree import element, page_files

from preprocess.corpora.releases.help_pages import HelpText, read_help
from preprocess.errors import ManifestError

SWITCH = (
    '<span id="swlnsys_1" class="switchinline"><span hidden="true" id="MACtext1" class="MAC">Command</span>'
    '<span hidden="true" id="defaulttext1">{}</span></span>'
)


def write(root: Path, files: dict[str, str]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")
    return root


def read_one(tmp_path: Path, english: str, css: str = "paragraph") -> HelpText:
    lines = {"en": [element("par_id1", english, css)], "de": [element("par_id1", "Deutsch")]}
    (segment,) = read_help(write(tmp_path, page_files("shared/a", lines)), ["en", "de"])
    return segment


def test_elements_with_the_same_id_in_the_same_page_are_translations(tmp_path: Path):
    first = {
        "en": [element("hd_id2", "Tab stops"), element("par_id1", "Defines it."), element("par_id3", "Only English.")],
        "de": [element("par_id1", "Legt es fest."), element("hd_id2", "Tabulatoren")],
    }
    second = {"en": [element("par_id1", "Another.")], "de": [element("par_id1", "Ein anderer.")]}
    root = write(tmp_path, page_files("swriter/01/b", first) | page_files("scalc/a", second))
    only_english = page_files("swriter/none", {"en": [element("par_id1", "Not there in German.")]})
    segments = list(read_help(write(root, only_english), ["en", "de"]))
    assert [(segment.page, segment.name, segment.is_paragraph, segment.texts) for segment in segments] == [
        ("scalc/a", "par_id1", True, {"en": "Another.", "de": "Ein anderer."}),
        ("swriter/01/b", "hd_id2", False, {"en": "Tab stops", "de": "Tabulatoren"}),
        ("swriter/01/b", "par_id1", True, {"en": "Defines it.", "de": "Legt es fest."}),
    ]


def test_an_id_that_a_page_has_twice_is_paired_in_order(tmp_path: Path):
    lines = {
        "en": [element("par_id1", "One."), element("par_id1", "Two.")],
        "de": [element("par_id1", "Eins."), element("par_id1", "Zwei.")],
    }
    segments = list(read_help(write(tmp_path, page_files("shared/a", lines)), ["en", "de"]))
    assert [(segment.name, segment.texts["de"]) for segment in segments] == [
        ("par_id1", "Eins."),
        ("par_id1.2", "Zwei."),
    ]


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ('\n        <span class="avis">Sets  the unit.</span>\n      ', "Sets the unit."),
        ('Choose <span class="menuitem">View - A &amp; B</span>.', "Choose View - A & B."),
        ("one<br>two<br/>three", "one two three"),
        ('Click <img src="a.svg" alt="Icon"> twice.', "Click twice."),
        (f"Press {SWITCH.format('Ctrl')}+F2.", "Press Ctrl+F2."),
        (f"Press {SWITCH.format('Ctrl').replace('Command', '<br/>Command')}+F2.", "Press Ctrl+F2."),
        ('See <a href="x.html">the <b>table</b></a>!', "See the table!"),
        ("soft\u00adhyphen, zero\u200bwidth, no\u00a0break", "softhyphen, zerowidth, no break"),
    ],
)
def test_the_text_is_what_a_reader_on_linux_sees(tmp_path: Path, inner: str, text: str):
    assert read_one(tmp_path, inner).texts["en"] == text


@pytest.mark.parametrize("variant", ["WIN", "UNIX", "WRITER", "CALC"])
def test_a_text_that_differs_between_programs_or_systems_is_left_out(tmp_path: Path, variant: str):
    inner = f'the path <span hidden="true" id="{variant}text1" class="{variant}">in it</span>.'
    lines = {"en": [element("par_id1", inner)], "de": [element("par_id1", "Deutsch")]}
    assert list(read_help(write(tmp_path, page_files("shared/a", lines)), ["en", "de"])) == []


@pytest.mark.parametrize(
    ("inner", "css", "has_code"),
    [
        ("Plain text.", "paragraph", False),
        ("Print x", "code", True),
        ("Print x", "codeintable", True),
        ('Use <span class="literal">Append</span>.', "paragraph", True),
        ('Type <span class="input">x</span>.', "paragraph", True),
        ("Use <code>Append</code>.", "paragraph", True),
    ],
)
def test_program_text_is_known_by_its_marks(tmp_path: Path, inner: str, css: str, has_code: bool):
    assert read_one(tmp_path, inner, css).has_code is has_code


def test_missing_and_unreadable_pages_are_named(tmp_path: Path):
    with pytest.raises(ManifestError, match=r"en-US/text: no such folder; the help pages in 'en' come from"):
        list(read_help(tmp_path, ["en", "de"]))
    files = page_files("shared/a", {language: [element("par_id1", "x")] for language in ("en", "de")})
    write(tmp_path, files)
    (tmp_path / next(path for path in files if "/de/" in path)).write_bytes(b"\xff")
    with pytest.raises(ManifestError, match=r"de/text/shared/a.html: cannot be read"):
        list(read_help(tmp_path, ["en", "de"]))
