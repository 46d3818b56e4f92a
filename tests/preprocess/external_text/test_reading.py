import gzip
from pathlib import Path

import pytest

from preprocess.errors import ManifestError, PreprocessError
from preprocess.external_text.reading import find_corpora, find_language, read_pairs
from preprocess.files.languages import Languages
from preprocess.files.text import TextPair

ONE = Languages(("en",), ("de",))
TWO = Languages(("en",), ("de", "fr"))


def paths(*names: str) -> list[Path]:
    return [Path(name) for name in names]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_single_files_are_corpora_and_others_come_in_pairs():
    assert find_corpora([]) == []
    found = find_corpora(paths("a.en", "a.de", "b.tmx", "c.TSV", "d.tmx.gz", "g.tsv.gz", "h.en.gz", "h.de.gz"))
    names = [" ".join(map(str, files)) for files in found]
    assert names == ["a.en a.de", "b.tmx", "c.TSV", "d.tmx.gz", "g.tsv.gz", "h.en.gz h.de.gz"]


@pytest.mark.parametrize(
    ("names", "lonely"),
    [(["a"], "a"), (["a", "b", "c"], "c"), (["a", "b.tmx", "c"], "a"), (["a.tsv", "b", "c.tsv"], "b")],
)
def test_a_plain_file_without_its_translation_is_named(names: list[str], lonely: str):
    with pytest.raises(ManifestError, match=rf"^{lonely} is without its translation: .* pairs of files, SRC TGT"):
        find_corpora(paths(*names))


@pytest.mark.parametrize(
    ("tag", "languages", "found"),
    [
        ("en-US", ["de", "en"], "en"),
        ("EN", ["en_XX", "de_DE"], "en_XX"),
        ("de", ["en_XX", "de_DE"], "de_DE"),
        ("de_AT", ["en", "de-DE"], ""),
        ("pt-BR", ["pt-PT", "pt-BR"], "pt-BR"),
        ("pt", ["pt-PT", "pt-BR"], ""),
        ("pt-PT", ["pt", "pt-PT"], "pt-PT"),
        ("ende", ["en", "de"], ""),
        ("", ["en"], ""),
    ],
)
def test_a_tag_names_at_most_one_language(tag: str, languages: list[str], found: str):
    assert find_language(tag, tuple(languages)) == found
    assert find_language(tag, tuple(languages[::-1])) == found


def test_plain_files_say_their_language_by_their_name_where_there_are_several(tmp_path: Path):
    english, german = write(tmp_path / "a.en", " one\ntwo \n"), write(tmp_path / "a.de", "eins\nzwei")
    expected = [(f"{english}:1", "one", "eins", "en", "de"), (f"{english}:2", "two", "zwei", "en", "de")]
    assert list(read_pairs((english, german), TWO)) == expected
    other = write(tmp_path / "a.txt", "eins\nzwei")
    assert list(read_pairs((english, other), ONE)) == expected
    with pytest.raises(ManifestError, match=r"a\.txt: the data has several languages, de, fr: .* such as a\.de"):
        list(read_pairs((english, other), TWO))
    with pytest.raises(ManifestError, match=r"a\.de: expected en there; each pair is SRC TGT"):
        list(read_pairs((german, english), ONE))


def test_the_same_pairs_are_alike_in_all_three_forms_and_compressed(tmp_path: Path):
    pairs = [("one", "eins"), ("", "zwei"), ("three", ""), ("four", "vier")]
    sources, targets = (
        write(tmp_path / f"a.{name}", "".join(f"{pair[side]}\n" for pair in pairs))
        for side, name in enumerate(("en", "de"))
    )
    table = write(tmp_path / "a.tsv", "src_text\ttgt_text\n" + "".join(f"{a}\t{b}\n" for a, b in pairs))
    memory = write_units(tmp_path / "a.tmx", [[("en", a), ("de", b)] for a, b in pairs])
    for files in ((sources, targets), (table,), (memory,)):
        assert [pair[1:3] for pair in read_pairs(files, ONE)] == pairs
        packed = tuple(path.with_name(f"{path.name}.gz") for path in files)
        for path, target in zip(files, packed, strict=True):
            target.write_bytes(gzip.compress(path.read_bytes()))
        assert [pair[1:3] for pair in read_pairs(packed, TWO if len(files) == 2 else ONE)] == pairs


def test_lines_and_rows_at_fault_are_given_to_the_sink_and_the_others_are_read(tmp_path: Path):
    english, german = write(tmp_path / "a.en", "one\ntwo\nthree\n"), tmp_path / "a.de"
    german.write_bytes(b"eins\nzw\xf6lf\ndrei\n")
    faults: list[PreprocessError] = []
    assert [pair.source for pair in read_pairs((english, german), ONE, faults.append)] == ["one", "three"]
    assert [fault.places for fault in faults] == [(f"{german}:2",)]
    table = write(tmp_path / "a.tsv", "src_text\ttgt_text\none\teins\ntwo\n\nfour\tvier\n")
    faults.clear()
    assert [pair.source for pair in read_pairs((table,), ONE, faults.append)] == ["one", "four"]
    assert [fault.places for fault in faults] == [(f"{table}:3",), (f"{table}:4",)]
    with pytest.raises(ManifestError, match=r"a\.de:2: expected UTF-8"):
        list(read_pairs((english, german), ONE))


def test_tables_say_their_languages_in_columns(tmp_path: Path):
    table = write(
        tmp_path / "a.tsv",
        "tgt_lang\ttgt_text\tnote\tsrc_text\tsrc_lang\nde-DE\t eins\tx\tone\ten\nit\tuno\t\tone\ten\n"
        'fr\t"un"\t\tone\tes\nfr\tun\t\t\ten-GB\n',
    )
    assert list(read_pairs([table], TWO)) == [
        (f"{table}:2", "one", "eins", "en", "de"),
        (f"{table}:3", "one", "uno", "en", ""),
        (f"{table}:4", "one", '"un"', "", "fr"),
        (f"{table}:5", "", "un", "en", "fr"),
    ]


def test_tables_without_languages_are_of_the_only_ones(tmp_path: Path):
    table = write(tmp_path / "a.tsv", "src_text\ttgt_text\none\teins\n")
    assert list(read_pairs([table], ONE)) == [TextPair(f"{table}:2", "one", "eins", "en", "de")]
    with pytest.raises(ManifestError, match=r"a\.tsv:2: tgt_lang is missing or empty; expected one of de, fr"):
        list(read_pairs([table], TWO))
    with pytest.raises(ManifestError, match=r"b\.tsv:1: expected at least the columns src_text, tgt_text"):
        list(read_pairs([write(tmp_path / "b.tsv", "source\ttarget\none\teins\n")], ONE))


def test_a_unit_of_tmx_gives_a_pair_for_each_target_language_that_it_has(tmp_path: Path):
    units = [
        [("en-GB", "colour"), ("de", "Farbe"), ("fr-FR", "couleur"), ("en", "color"), ("de", "Farbton")],
        [("DE", "eins"), ("EN", "one")],
        [("en", "two"), ("it", "due")],
        [("fr", "deux"), ("de", "zwei")],
    ]
    path = write_units(tmp_path / "a.tmx", units)
    assert list(read_pairs([path], TWO)) == [
        (f"{path}:1", "color", "Farbe", "en", "de"),  # en before en-GB, the first of two
        (f"{path}:1", "color", "couleur", "en", "fr"),
        (f"{path}:2", "one", "eins", "en", "de"),
        (f"{path}:3", "", "", "", ""),
        (f"{path}:4", "", "", "", ""),
    ]
    many = Languages(("de", "en"), ("de", "en"))
    assert sorted(pair[1:] for pair in list(read_pairs([path], many))[:2]) == [
        ("Farbe", "color", "de", "en"),
        ("color", "Farbe", "en", "de"),
    ]


def write_units(path: Path, units: list[list[tuple[str, str]]]) -> Path:
    lines = [
        "<tu>" + "".join(f'<tuv xml:lang="{tag}"><seg>{text}</seg></tuv>' for tag, text in texts) + "</tu>\n"
        for texts in units
    ]
    return write(path, f"<tmx><body>{''.join(lines)}</body></tmx>")
