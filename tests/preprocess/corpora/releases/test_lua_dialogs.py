from pathlib import Path

import pytest

from preprocess.corpora.releases.lua_dialogs import Dialogue, read_dialogues
from preprocess.errors import ManifestError

PLAIN = 'dialogId("a", "font_small", "What?")\ndialogStr("Co?")\n'


def write(root: Path, content: str, name: str = "level/dialogs_cs.lua") -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(content, encoding="utf-8", newline="")
    return root


def read_texts(root: Path) -> dict[str, tuple[str, str]]:
    return {name: (found.english, found.text) for (_, name), found in read_dialogues(root, "cs").items()}


def test_a_dialogue_is_an_id_with_english_and_a_text(tmp_path: Path):
    write(tmp_path, f"\n{PLAIN}\n\n" + 'dialogId("b", "font_big", "No.")\ndialogStr("Ne.")\n')
    path = tmp_path / "level/dialogs_cs.lua"
    assert read_dialogues(tmp_path, "cs") == {
        ("level", "a"): Dialogue(f"{path}:2", "level", "a", "small", "What?", "Co?"),
        ("level", "b"): Dialogue(f"{path}:6", "level", "b", "big", "No.", "Ne."),
    }


@pytest.mark.parametrize(
    ("content", "english", "text"),
    [
        (PLAIN.replace("Co?", r"Řekl \"co\" v C:\\\\X\/Y"), "What?", 'Řekl "co" v C:\\\\X/Y'),
        (PLAIN.replace("Co?", r"dva\nřádky\065"), "What?", "dva řádkyA"),
        (PLAIN.replace("Co?", "dva\\\nřádky"), "What?", "dva řádky"),
        (PLAIN.replace('dialogStr("Co?")', 'dialogStr(\n"Co?")'), "What?", "Co?"),
        (PLAIN.replace('"Co?"', "'Co?'"), "What?", "Co?"),
        (PLAIN.replace("\n", "\r\n"), "What?", "Co?"),
        ("\ufeff" + PLAIN, "What?", "Co?"),
        (PLAIN.replace('("Co?")', '("Co?") -- FIXME dialogStr("Kdo?")'), "What?", "Co?"),
        ('-- dialogStr("Kdo?")\n' + PLAIN, "What?", "Co?"),
        (f'--[[ dialogId("x", "y", "z")\ndialogStr("Kdo?") ]]\n{PLAIN}', "What?", "Co?"),
        (PLAIN.replace("Co?", "A -- B"), "What?", "A -- B"),
        (PLAIN.replace("Co?", "volej dialogStr(1)"), "What?", "volej dialogStr(1)"),
        (PLAIN + 'local i\nfor i = 0, 29 do dialogId("key"..i, "", "") end\n', "What?", "Co?"),
        (PLAIN.split("\n")[0], "What?", ""),
        (PLAIN.replace('("Co?")', '("a", "font_small", "Co?")'), "What?", ""),
    ],
)
def test_strings_are_read_as_lua_reads_them(tmp_path: Path, content: str, english: str, text: str):
    assert read_texts(write(tmp_path, content)) == {"a": (english, text)}


def test_all_files_of_a_level_and_language_are_read_and_the_first_text_stands(tmp_path: Path):
    write(tmp_path, PLAIN)
    write(tmp_path, PLAIN.replace('"a"', '"film"') + PLAIN.replace("Co?", "Cože?"), "level/demo_dialogs_cs.lua")
    write(tmp_path, PLAIN, "other/dialogs_cs.lua")
    write(tmp_path, PLAIN.replace("Co?", "Wat?"), "level/dialogs_nl.lua")
    write(tmp_path, "level = 1", "level/init.lua")
    found = read_dialogues(tmp_path, "cs")
    assert {key: dialogue.text for key, dialogue in found.items()} == {
        ("level", "film"): "Co?",
        ("level", "a"): "Cože?",
        ("other", "a"): "Co?",
    }


def test_empty_dialogues_are_passed_over(tmp_path: Path):
    write(tmp_path, 'dialogId("key0", "", "")\n' + PLAIN)
    assert list(read_texts(tmp_path)) == ["a"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('\ndialogStr("Co?")', r"dialogs_cs.lua:2: expected dialogId.* found dialogStr with 1 strings"),
        (PLAIN + 'dialogStr("Kdo?")', r":3: expected .*, found dialogStr with 1 strings"),
        ('dialogId("a", "font")', r":1: expected .*, found dialogId with 2 strings"),
        ("-- nothing", r"expected LEVEL/dialogs_cs.lua in it, with dialogues, found none"),
    ],
)
def test_files_that_are_not_in_their_form_are_refused(tmp_path: Path, content: str, message: str):
    with pytest.raises(ManifestError, match=message):
        read_dialogues(write(tmp_path, content), "cs")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path):
    write(tmp_path, PLAIN)
    (tmp_path / "level/dialogs_cs.lua").write_bytes(b'dialogId("a", "f", "\xff")')
    with pytest.raises(ManifestError, match=r"level/dialogs_cs.lua: cannot be read"):
        read_dialogues(tmp_path, "cs")
