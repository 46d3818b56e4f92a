from pathlib import Path

from preprocess.corpora.rows.parallel_text import write_parallel_text
from preprocess.files.manifest import Utterance
from preprocess.files.text import read_parallel


def row(src_lang: str, tgt_lang: str, source: str, target: str) -> Utterance:
    return Utterance("id", None, 0.0, None, src_lang, tgt_lang, source, target, "")


def test_each_pair_of_languages_has_its_files_and_no_pair_stands_twice(tmp_path: Path):
    rows = [
        row("cs", "en", "Co?", "What?"),
        row("nl", "en", "Wat?", "What?"),
        row("cs", "en", "Co? ", "Which  one?"),
        row("cs", "en", "Co?", "What?"),
    ]
    write_parallel_text(tmp_path, "mt", rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mt.cs-en.cs",
        "mt.cs-en.en",
        "mt.nl-en.en",
        "mt.nl-en.nl",
    ]
    pairs = [
        tuple(line.text for line in pair) for pair in read_parallel(tmp_path / "mt.cs-en.cs", tmp_path / "mt.cs-en.en")
    ]
    assert pairs == [("Co?", "What?"), ("Co?", "Which one?")]


def test_no_rows_make_no_files(tmp_path: Path):
    write_parallel_text(tmp_path, "mt", [])
    assert not list(tmp_path.iterdir())
