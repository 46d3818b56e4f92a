"""Truth: a tree parser (xml.etree) of the whole file, and texts that the tests wrote themselves."""

import gzip
import random
import tracemalloc
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest

from preprocess.errors import ManifestError, PreprocessError
from preprocess.external_text import tmx
from preprocess.external_text.tmx import read_tmx
from preprocess.external_text.xml_encoding import START_BYTES
from preprocess.files.text import normalise_text

HEADER = '<?xml version="1.0"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header srclang="en"/><body>\n'
FOOTER = "</body></tmx>\n"


def write_tmx(path: Path, units: list[list[tuple[str, str]]]) -> Path:
    """One unit a line, the first in line 4; texts are escaped."""
    lines = []
    for texts in units:
        variants = "".join(f'<tuv xml:lang="{tag}"><seg>{escape(text)}</seg></tuv>' for tag, text in texts)
        lines.append(f"<tu>{variants}</tu>\n")
    path.write_text(HEADER + "".join(lines) + FOOTER, encoding="utf-8")
    return path


def random_units(num_units: int) -> list[list[tuple[str, str]]]:
    generator = random.Random(0)
    words = ["a & b", "<b>", "l'été", "日本語", "\u00a0", "x\n  y", '"', "]]>", "cafe\u0301", "𝄞"]
    return [
        [(tag, " ".join(generator.choices(words, k=generator.randint(1, 5)))) for tag in ("en-US", "fr", "DE")]
        for _ in range(num_units)
    ]


@pytest.mark.parametrize("chunk_bytes", [1, 7, 2**20])
def test_units_are_those_of_a_tree_parser_wherever_the_chunks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
):
    path = write_tmx(tmp_path / "a.tmx", random_units(30))
    monkeypatch.setattr(tmx, "CHUNK_BYTES", chunk_bytes)
    expected = [
        [
            (tuv.get("{http://www.w3.org/XML/1998/namespace}lang"), normalise_text(tuv.findtext("seg") or ""))
            for tuv in unit.iter("tuv")
        ]
        for unit in ElementTree.parse(path).iter("tu")
    ]
    units = list(read_tmx(path))
    assert [unit.texts for unit in units] == expected
    lines = path.read_text(encoding="utf-8").split("\n")
    assert all(lines[int(unit.name.removeprefix(f"{path}:")) - 1].startswith("<tu>") for unit in units)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings_and_compression_do_not_matter(tmp_path: Path, encoding: str):
    declaration = HEADER.replace('version="1.0"?', f'version="1.0" encoding="{encoding.removesuffix("-sig")}"?')
    unit = '<tu><tuv lang="en"><seg>café</seg></tuv><tuv lang="fr"><seg>«\u00a0é\u00a0»</seg></tuv></tu>'
    content = (declaration + unit + FOOTER).encode(encoding)
    (tmp_path / "a.tmx").write_bytes(content)
    (tmp_path / "a.tmx.gz").write_bytes(gzip.compress(content))
    for name in ("a.tmx", "a.tmx.gz"):
        assert [unit.texts for unit in read_tmx(tmp_path / name)] == [[("en", "café"), ("fr", "« é »")]]


@pytest.mark.parametrize("encoding", ["shift_jis", "gb2312", "euc-jp", "utf-16-be", "utf-16-le", "utf-32", "utf-32-le"])
@pytest.mark.parametrize("chunk_bytes", [1, 2**20])
def test_any_encoding_of_python_s_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, chunk_bytes: int
):
    monkeypatch.setattr(tmx, "CHUNK_BYTES", chunk_bytes)
    path = tmp_path / "a.tmx"
    header = HEADER.replace('version="1.0"?', f'version="1.0" encoding="{encoding}"?')
    units = "".join(f'<tu><tuv lang="ja"><seg>{number} 日本</seg></tuv></tu>\n' for number in range(40))
    path.write_text(header + units + FOOTER, encoding=encoding)
    assert [unit.texts for unit in read_tmx(path)] == [[("ja", f"{number} 日本")] for number in range(40)]


def test_bytes_of_another_encoding_are_the_fault_of_their_unit(tmp_path: Path):
    header = HEADER.replace('version="1.0"?', 'version="1.0" encoding="Shift_JIS"?')
    unit = '<tu><tuv lang="ja"><seg>日本</seg></tuv></tu>\n'
    units = [
        unit.encode("shift_jis"),
        unit.encode("shift_jis").replace(b"</seg>", b"\xff</seg>"),
        unit.encode("shift_jis"),
    ]
    (tmp_path / "a.tmx").write_bytes(header.encode() + b"".join(units) + FOOTER.encode())
    faults: list[PreprocessError] = []
    found = [unit.name for unit in read_tmx(tmp_path / "a.tmx", faults.append)]
    assert found == [f"{tmp_path}/a.tmx:4", f"{tmp_path}/a.tmx:6"]
    assert [fault.places for fault in faults] == [(f"{tmp_path}/a.tmx:5",)]


@pytest.mark.parametrize("encoding", ["x-foo", "base64", "é"])
def test_an_encoding_that_is_unknown_is_refused(tmp_path: Path, encoding: str):
    path = tmp_path / "a.tmx"
    path.write_text(HEADER.replace('version="1.0"?', f'version="1.0" encoding="{encoding}"?') + FOOTER)
    with pytest.raises(ManifestError, match=r"a\.tmx:1: it declares the encoding '.*', which is unknown; convert the"):
        list(read_tmx(path))


def test_a_wrong_declaration_of_utf_16_does_no_harm(tmp_path: Path):
    path = tmp_path / "a.tmx"
    unit = '<tu><tuv lang="en"><seg>é</seg></tuv></tu>'
    path.write_text(HEADER.replace('version="1.0"?', 'version="1.0" encoding="UTF-16"?') + unit + FOOTER, "utf-8")
    assert [unit.texts for unit in read_tmx(path)] == [[("en", "é")]]


def test_codes_of_tools_are_no_text_but_highlights_are(tmp_path: Path):
    path = tmp_path / "a.tmx"
    segment = 'Press <bpt i="1">&lt;b<sub>no</sub>></bpt><hi>Enter</hi><ept i="1">/b</ept>.<ph>{1}</ph> Go<it>x</it>!'
    path.write_text(f'{HEADER}<tu><tuv xml:lang="en"><seg>{segment}</seg></tuv></tu>{FOOTER}', encoding="utf-8")
    assert [unit.texts for unit in read_tmx(path)] == [[("en", "Press Enter. Go!")]]


def test_notes_and_properties_are_not_read(tmp_path: Path):
    path = tmp_path / "a.tmx"
    unit = '<tu><note>n</note><tuv xml:lang="en"><prop type="x">p</prop><seg/></tuv></tu>'
    path.write_text(HEADER + unit + FOOTER, encoding="utf-8")
    assert [unit.texts for unit in read_tmx(path)] == [[("en", "")]]


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_tmx(tmp_path / "a.tmx", random_units(5000))
    monkeypatch.setattr(tmx, "CHUNK_BYTES", 2**12)
    tracemalloc.start()
    num_units = sum(1 for _ in read_tmx(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert num_units == 5000
    assert peak < 100_000 < path.stat().st_size / 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER + "<tu>\n<tuv></tu>", r"a\.tmx:5: not well-formed XML: mismatched tag \(column 7\)"),
        (HEADER + "<tu></tu>\n", r"a\.tmx:5: not well-formed XML: no element found"),
        ("", r"a\.tmx:1: not well-formed XML: no element found"),
        (HEADER + "<tu>\x01", r"a\.tmx:4: not well-formed XML: not well-formed \(invalid token\)"),
        ("<?xml version='1.0'?>\n<html></html>", r"a\.tmx:2: expected a TMX file, .* found <html>"),
        (
            HEADER.replace("<tmx", "<!-- --><tmx") + "<tu>&nbsp;</tu>" + FOOTER,
            r"a\.tmx:4: .* entity of its own, 'nbsp'",
        ),
        ("<tmx>&lol;</tmx>", r"a\.tmx:1: not well-formed XML: undefined entity"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path: Path, content: str, message: str):
    (tmp_path / "a.tmx").write_text(content, encoding="utf-8")
    with pytest.raises(ManifestError, match=message):
        list(read_tmx(tmp_path / "a.tmx"))


BROKEN_UNITS = {
    "a character that XML does not allow": '<tu><tuv xml:lang="en"><seg>a &#x1F; b</seg></tuv></tu>',
    "a control character": '<tu><tuv xml:lang="en"><seg>a \x01 b</seg></tuv></tu>',
    "a bare ampersand": '<tu><tuv xml:lang="en"><seg>R & D</seg></tuv></tu>',
    "an ampersand in an attribute": '<tu tuid="R&D"><tuv xml:lang="en"><seg>a</seg></tuv></tu>',
    "a bare bracket": '<tu><tuv xml:lang="en"><seg>1 < 2</seg></tuv></tu>',
    "an open seg": '<tu><tuv xml:lang="en"><seg>a</tuv></tu>',
    "tags crossed": '<tu><tuv xml:lang="en"><seg>a</tuv></seg></tu>',
    "an entity": '<tu><tuv xml:lang="en"><seg>a&nbsp;b</seg></tuv></tu>',
    "no end": '<tu><tuv xml:lang="en"><seg>a</seg></tuv>',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "iso-8859-1"])
@pytest.mark.parametrize("chunk_bytes", [1, 7, 2**20])
@pytest.mark.parametrize("kind", BROKEN_UNITS)
def test_a_broken_unit_is_named_and_those_around_it_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, chunk_bytes: int, encoding: str
):
    monkeypatch.setattr(tmx, "CHUNK_BYTES", chunk_bytes)
    path = tmp_path / "a.tmx"
    good = '<tu><tuv xml:lang="en"><seg>café {}</seg></tuv></tu>'
    lines = [good.format(1), BROKEN_UNITS[kind], good.format(2), BROKEN_UNITS[kind], BROKEN_UNITS[kind], good.format(3)]
    header = HEADER.replace('version="1.0"?', f'version="1.0" encoding="{encoding}"?')
    header = header.replace("<header", f"<!-- {' ' * START_BYTES} --><header")  # the chunks are what is behind it
    path.write_text(f"{header}{chr(10).join(lines)}\n{FOOTER}", encoding=encoding)
    faults: list[PreprocessError] = []
    units = list(read_tmx(path, faults.append))
    assert [unit.texts for unit in units] == [[("en", f"café {number}")] for number in (1, 2, 3)]
    assert [unit.name for unit in units] == [f"{path}:{line}" for line in (4, 6, 9)]
    assert [fault.places for fault in faults] == [(f"{path}:{line}",) for line in (5, 7, 8)]
    with pytest.raises(ManifestError, match=r"a\.tmx:5: "):
        list(read_tmx(path))


def test_a_file_that_ends_within_a_unit_is_not_whole(tmp_path: Path):
    path = tmp_path / "a.tmx"
    path.write_text(f"{HEADER}<tu></tu><tu><tuv><seg>a & b</seg></tuv>", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"a\.tmx:4: not well-formed XML"):
        list(read_tmx(path, lambda fault: None))


def test_entities_are_refused_before_they_can_grow(tmp_path: Path):
    layers = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    (tmp_path / "a.tmx").write_text(f'<!DOCTYPE tmx [<!ENTITY l0 "ha">{layers}]>\n<tmx>&l11;</tmx>', encoding="utf-8")
    with pytest.raises(ManifestError, match=r"a\.tmx:1: the file declares or uses an entity of its own, 'l0'"):
        list(read_tmx(tmp_path / "a.tmx"))
    (tmp_path / "b.tmx").write_text('<!DOCTYPE tmx [<!ENTITY f SYSTEM "/etc/passwd">]>\n<tmx>&f;</tmx>')
    with pytest.raises(ManifestError, match=r"b\.tmx:1: .* 'f'"):
        list(read_tmx(tmp_path / "b.tmx"))


def test_files_that_cannot_be_read_are_named(tmp_path: Path):
    with pytest.raises(ManifestError, match=r"none\.tmx: cannot be read: No such file"):
        list(read_tmx(tmp_path / "none.tmx"))
    compressed = gzip.compress((HEADER + "<tu></tu>" * 1000 + FOOTER).encode())
    (tmp_path / "cut.tmx.gz").write_bytes(compressed[:-20])
    with pytest.raises(ManifestError, match=r"cut\.tmx\.gz: cannot be read: Compressed file ended"):
        list(read_tmx(tmp_path / "cut.tmx.gz"))
    (tmp_path / "plain.tmx.gz").write_text(HEADER + FOOTER)
    assert list(read_tmx(tmp_path / "plain.tmx.gz")) == []  # its content says what it is
