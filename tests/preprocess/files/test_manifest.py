from pathlib import Path

import pytest

from preprocess.errors import ManifestError
from preprocess.files.manifest import (
    MANIFEST_COLUMNS,
    Utterance,
    check_utterance,
    location_of,
    placed,
    read_manifest,
    write_manifest,
)

HEADER = "\t".join(MANIFEST_COLUMNS)
GOOD = "a\ta.wav\t0.5\t1.25\ten\tfr\thello\tbonjour\tbob"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.wav").touch()
    return tmp_path


def write(folder: Path, *lines: str, encoding: str = "utf-8", line_end: str = "\n") -> Path:
    path = folder / "m.tsv"
    path.write_bytes("".join(line + line_end for line in lines).encode(encoding))
    return path


def test_a_row_becomes_an_utterance(folder: Path):
    (utterance,) = read_manifest(write(folder, HEADER, GOOD))
    assert utterance == Utterance("a", folder / "a.wav", 0.5, 1.25, "en", "fr", "hello", "bonjour", "bob")


def test_empty_fields_say_what_is_not_known(folder: Path):
    speech_alone, text_alone = read_manifest(
        write(folder, HEADER, "a\ta.wav\t\t\ten\tfr\t\tbonjour\t", "b\t\t\t\ten\tfr\thello\tbonjour\t")
    )
    assert (speech_alone.offset, speech_alone.duration, speech_alone.src_text) == (0.0, None, "")
    assert text_alone.audio is None


@pytest.mark.parametrize("text", ['"quoted', "say \"x\" 'y'", "a\u2028b\x0cc\x85d", "naïve 日本 \U0001f600", "a\\tb"])
def test_quotes_and_odd_characters_are_plain_text(folder: Path, text: str):
    utterances = [Utterance(f"{index}", folder / "a.wav", 0.0, None, "en", "fr", text, text, "") for index in (1, 2)]
    write_manifest(folder / "m.tsv", utterances)
    assert read_manifest(folder / "m.tsv") == utterances


@pytest.mark.parametrize(("encoding", "line_end"), [("utf-8-sig", "\n"), ("utf-8", "\r\n"), ("utf-8-sig", "\r\n")])
def test_byte_order_mark_and_crlf_change_nothing(folder: Path, encoding: str, line_end: str):
    expected = read_manifest(write(folder, HEADER, GOOD))
    assert read_manifest(write(folder, HEADER, GOOD, encoding=encoding, line_end=line_end)) == expected


def test_location_of_is_the_line_of_the_utterance(folder: Path):
    path = write(folder, HEADER, GOOD, GOOD.replace("a\t", "b\t", 1))
    second = read_manifest(path)[1]
    line_number = int(location_of(path, 1).rsplit(":", 1)[1])
    assert path.read_text().split("\n")[line_number - 1].startswith(second.id)


def test_audio_nearby_is_written_relative_and_other_audio_absolute(tmp_path: Path):
    names = ["a/data/manifest/x.wav", "a/data/audio/x.wav", "a/corpus/audio/x.wav", "elsewhere/x.wav"]
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    manifest = tmp_path / "a/data/manifest/m.tsv"
    write_manifest(
        manifest, [Utterance(str(path), path, 0.0, None, "en", "fr", "source", "target", "") for path in paths]
    )
    written = [line.split("\t")[1] for line in manifest.read_text().splitlines()[1:]]
    assert written == ["x.wav", "../audio/x.wav", "../../corpus/audio/x.wav", str(paths[3])]
    assert [utterance.audio.resolve() for utterance in read_manifest(manifest)] == paths
    (tmp_path / "a").rename(tmp_path / "b")
    moved = read_manifest(tmp_path / "b/data/manifest/m.tsv")
    assert moved[2].audio.resolve() == tmp_path / "b/corpus/audio/x.wav"


def test_seconds_come_back_exactly(folder: Path):
    utterance = Utterance("a", folder / "a.wav", 1234.56789012, 1 / 3, "en", "fr", "s", "t", "")
    write_manifest(folder / "m.tsv", [utterance])
    assert read_manifest(folder / "m.tsv") == [utterance]


@pytest.mark.parametrize(("text", "what"), [("a\tb", "a tab"), ("a\nb", "a line break"), ("a\rb", "a carriage return")])
def test_a_text_with_tab_or_line_break_is_not_written(folder: Path, text: str, what: str):
    utterance = Utterance("a", folder / "a.wav", 0.0, None, "en", "fr", text, "t", "")
    with pytest.raises(ManifestError, match=f"'a': src_text holds {what}"):
        write_manifest(folder / "m.tsv", [utterance])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "m.tsv: is empty"),
        ([HEADER], "m.tsv:1: there is a header but no row"),
        ([HEADER.replace("speaker", "voice"), GOOD], r"m.tsv:1: expected the columns id, .* missing: speaker"),
        ([HEADER + "\textra", GOOD + "\tx"], "m.tsv:1: expected the columns"),
        (["speaker\t" + HEADER.removesuffix("\tspeaker"), GOOD], "m.tsv:1: expected the columns"),
        ([GOOD], "m.tsv:1: expected the columns"),
        ([HEADER, GOOD, GOOD + "\tmore"], r"m.tsv:3: expected 9 tab-separated fields \(8 tabs\), found 10"),
        ([HEADER, GOOD.removesuffix("\tbob")], "m.tsv:2: expected 9 .* found 8"),
        ([HEADER, "", GOOD], "m.tsv:2: expected 9 .* found 1"),
        ([HEADER, GOOD, GOOD], "m.tsv:3: utterance 'a': the id was used before, in .*m.tsv:2"),
        ([HEADER, GOOD[1:]], "m.tsv:2: the id is empty"),
        ([HEADER, GOOD.replace("a.wav", "none.wav")], "m.tsv:2: utterance 'a': audio not found: .*none.wav"),
        ([HEADER, GOOD.replace("0.5", "half")], "m.tsv:2: offset must be a number of seconds or empty, found 'half'"),
        ([HEADER, GOOD.replace("1.25", "nan")], "m.tsv:2: duration must be a number"),
        ([HEADER, GOOD.replace("1.25", "inf")], "m.tsv:2: duration must be a number"),
        ([HEADER, GOOD.replace("0.5", "-1")], "m.tsv:2: utterance 'a': offset must be at least 0"),
        ([HEADER, GOOD.replace("1.25", "0")], "m.tsv:2: utterance 'a': duration must be above 0"),
        ([HEADER, GOOD.replace("\ten", "\t")], "m.tsv:2: utterance 'a': src_lang is empty"),
        ([HEADER, GOOD.replace("\tfr", "\t")], "m.tsv:2: utterance 'a': tgt_lang is empty"),
        ([HEADER, GOOD.replace("bonjour", " ")], "m.tsv:2: utterance 'a': tgt_text is empty"),
        ([HEADER, GOOD.replace("a.wav", "").replace("hello", " ")], "m.tsv:2: utterance 'a': has neither audio nor"),
    ],
)
def test_a_bad_manifest_is_refused_with_file_and_line(folder: Path, lines: list[str], message: str):
    with pytest.raises(ManifestError, match=message):
        read_manifest(write(folder, *lines))


def test_text_that_is_not_utf8_is_refused_with_its_line(folder: Path):
    path = write(folder, HEADER, GOOD, GOOD.replace("a\t", "b\t", 1).replace("hello", "hé"), encoding="latin-1")
    with pytest.raises(ManifestError, match=r"m.tsv:3: expected UTF-8, found the byte 0xE9"):
        read_manifest(path)


def test_a_missing_manifest_is_refused(folder: Path):
    with pytest.raises(ManifestError, match=r"none.tsv: cannot be read: No such file"):
        read_manifest(folder / "none.tsv")


def test_a_check_leaves_the_place_to_its_caller():
    utterance = Utterance("a", None, 0.0, 0.0, "en", "fr", "s", "t", "")
    with pytest.raises(ManifestError) as bare:
        check_utterance(utterance, "m.tsv:2", {})
    assert (bare.value.places, bare.value.found) == ((), "duration must be above 0 seconds, found 0.0")
    assert bare.value.advice == "empty means: to the end of the file"
    with pytest.raises(ManifestError) as outer, placed(utterance, "m.tsv:2"):
        check_utterance(utterance, "m.tsv:2", {})
    assert str(outer.value) == f"m.tsv:2: utterance 'a': {bare.value}"
