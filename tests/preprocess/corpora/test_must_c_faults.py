"""MuST-C as real releases are: each fault is an error that names its place, or is left out, counted and named."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from cards import read_card

from preprocess.errors import ManifestError, PreprocessError
from preprocess.files.faults import Fault, read_faults
from preprocess.speech.audio import load_audio

SKIP = ("--on-error", "skip", "--max-errors", 0.5)


def text_file(tree, suffix: str, split: str = "train") -> Path:
    return tree.root / f"en-fr/data/{split}/txt/{split}.{suffix}"


def talk(tree) -> Path:
    return tree.root / "en-fr/data/train/wav/ted_1.wav"


def one_row_left_out(tree, run_manifest, read_out) -> Fault:
    """The only row of train that is at fault; the other 19 are there."""
    out = run_manifest("must_c", tree.root, "--tgt-lang", "fr", *SKIP)
    assert len(read_out("train")) == 19
    (listed,) = read_faults(out.with_name("out.errors.tsv"))
    return listed


def change_line(path: Path, number: int, change: Callable[[str], str]) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[number - 1] = change(lines[number - 1])
    path.write_text("\n".join(lines), encoding="utf-8")


def change_field(tree, number: int, key: str, value: str) -> None:
    def change(line: str) -> str:
        fields = dict(item.split(": ") for item in line[3:-1].split(", ")) | {key: value}
        return "- {" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}"

    change_line(text_file(tree, "yaml"), number, change)


def end_talk_at(tree, sample: int) -> None:
    samples, rate = soundfile.read(talk(tree), dtype="int16")
    soundfile.write(talk(tree), samples[:sample], rate)


def middle_of_segment_7(tree) -> int:
    last = tree.segments["train"][6]
    return last.start + len(last.samples) // 2


# what happens to the release; how many of the 20 training rows that costs; the first of them; why
AUDIO_FAULTS = {
    "missing wav": (lambda tree: talk(tree).unlink(), 7, 1, "audio not found: .*ted_1.wav"),
    "empty wav": (lambda tree: talk(tree).write_bytes(b""), 7, 1, "ted_1.wav: the audio file is empty"),
    "not a wav": (lambda tree: talk(tree).write_text("<html>" * 99), 7, 1, "ted_1.wav: not audio but a page of HTML"),
    "cut wav": (lambda tree: talk(tree).write_bytes(talk(tree).read_bytes()[:20_000]), 7, 1, "ted_1.wav: cut short"),
    "shorter talk": (lambda tree: end_talk_at(tree, middle_of_segment_7(tree)), 1, 7, "lies outside the file"),
    "begin past the end": (lambda tree: change_field(tree, 2, "offset", "1234.5"), 1, 2, "lies outside the file"),
    "no length": (lambda tree: change_field(tree, 3, "duration", "0.000000"), 1, 3, "duration must be above 0"),
    "20 ms": (lambda tree: change_field(tree, 3, "duration", "0.02"), 1, 3, "too short: 20.0 ms"),
    "talk without samples": (lambda tree: end_talk_at(tree, 0), 7, 1, "lies outside the file, which is 0.000 s"),
    "before the beginning": (lambda tree: change_field(tree, 1, "offset", "-0.5"), 1, 1, "must be at least 0 seconds"),
}


@pytest.mark.parametrize("fault", AUDIO_FAULTS)
def test_a_row_without_usable_sound_is_an_error_that_names_file_and_line(tree, run_manifest, tmp_path: Path, fault):
    spoil, num_lost, line, reason = AUDIO_FAULTS[fault]
    spoil(tree)
    with pytest.raises(PreprocessError, match=rf"(?s)train.yaml:{line}: utterance 'ted_1_{line - 1}-fr': .*{reason}"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    listed = ["out.errors.tsv"] if num_lost > 1 else []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["MUSTC", *listed]
    assert len(read_faults(tmp_path / "out.errors.tsv")) == (num_lost if num_lost > 1 else 0)


@pytest.mark.parametrize("fault", AUDIO_FAULTS)
def test_with_on_error_skip_such_rows_are_left_out_and_named(tree, run_manifest, read_out, fault):
    spoil, num_lost, line, reason = AUDIO_FAULTS[fault]
    spoil(tree)
    out = run_manifest("must_c", tree.root, "--tgt-lang", "fr", *SKIP)
    faults = read_faults(out.with_name("out.errors.tsv"))
    assert read_card(out, "manifest")["errors"] == {"train": num_lost, "dev": 0, "test_tst-COMMON": 0, "test_tst-HE": 0}
    assert len(faults) == num_lost
    assert len({fault.id for fault in faults} | {row.id for row in read_out("train")}) == 20
    assert (faults[0].id, faults[0].location) == (f"ted_1_{line - 1}-fr", f"{text_file(tree, 'yaml')}:{line}")
    assert re.search(reason, faults[0].reason)


def test_too_many_errors_end_the_run_and_are_all_named(tree, run_manifest, tmp_path: Path):
    talk(tree).unlink()
    with pytest.raises(
        PreprocessError, match=r"7 of 44 .* more than --max-errors 0.001 allows; the first is 'ted_1_0-fr'"
    ):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr", "--on-error", "skip")
    assert not (tmp_path / "out").exists()
    assert len(read_faults(tmp_path / "out.errors.tsv")) == 7


def test_the_list_of_errors_goes_when_the_release_is_mended(tree, run_manifest):
    content = talk(tree).read_bytes()
    talk(tree).unlink()
    out = run_manifest("must_c", tree.root, "--tgt-lang", "fr", *SKIP)
    talk(tree).write_bytes(content)
    assert out.with_name("out.errors.tsv").is_file()
    run_manifest("must_c", tree.root, "--tgt-lang", "fr", *SKIP)
    assert not out.with_name("out.errors.tsv").exists()


def test_a_test_set_that_lost_rows_is_warned_of(tree, run_manifest, caplog):
    (tree.root / "en-fr/data/tst-HE/wav").rename(tree.root / "elsewhere")
    wavs = tree.root / "en-fr/data/tst-HE/wav"
    wavs.mkdir()
    later = tree.segments["tst-HE"][-1].wav
    (tree.root / "elsewhere" / later).rename(wavs / later)
    run_manifest("must_c", tree.root, "--tgt-lang", "fr", *SKIP)
    assert "test_tst-HE lacks 7 of its 8 rows: scores on it do not compare" in caplog.text


def test_an_end_that_rounding_moved_past_the_talk_is_the_end_of_the_talk(tree, run_manifest, read_out):
    segment = tree.segments["train"][6]
    end_talk_at(tree, segment.start + len(segment.samples) - 480)  # 30 ms
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    row = read_out("train")[6]
    assert np.array_equal(load_audio(row.audio, row.offset, row.duration), segment.samples[:-480] / np.float32(32768))


@pytest.mark.parametrize(("suffix", "change"), [("fr", ""), ("fr", "\u00a0 "), ("en", ""), ("en", " \u3000")])
def test_an_empty_line_is_a_row_without_transcript_or_no_row(tree, run_manifest, read_out, suffix: str, change: str):
    change_line(text_file(tree, suffix), 4, lambda line: change)
    out = run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    by_id = {row.id: row for row in read_out("train")}
    if suffix == "en":
        assert (by_id["ted_1_3-fr"].src_text, len(by_id)) == ("", 20)
        assert read_card(out, "manifest")["counts"]["train"]["with_transcript"] == 19
    else:
        assert "ted_1_3-fr" not in by_id and len(by_id) == 19
        assert read_card(out, "manifest")["filtered"]["train"] == {"no translation": 1}
        (left_out,) = read_faults(out.with_name("out.filtered.tsv"))
        assert (left_out.id, left_out.reason) == ("ted_1_3-fr", "no translation")
        assert left_out.location == f"{text_file(tree, 'yaml')}:4"


NO_SPLIT = [
    ("fr", lambda text: text.split("\n", 1)[1], r"train.fr has 19 lines, .*train.yaml has 20 segments: line n must be"),
    ("en", lambda text: text + "One more.\n", r"train.en has 21 lines, .*train.yaml has 20 segments"),
    ("en", lambda text: text.replace("\n", "\n\n", 1), r"train.en has 21 lines"),
    ("yaml", lambda text: text.split("\n", 1)[1], r"train.en has 20 lines, .*train.yaml has 19 segments"),
    ("yaml", lambda text: "", r"train.yaml: is empty"),
    ("yaml", lambda text: "[]", r"train.yaml: is empty"),
    ("yaml", lambda text: f"segments:\n{text}", r"train.yaml: expected a list of segments, such as"),
    ("yaml", lambda text: f"[{text}", r"train.yaml: not valid YAML"),
    ("yaml", lambda text: f"[{'[' * 200_000}", r"train.yaml: not valid YAML: it has more than 100 brackets within"),
]
NO_SEGMENT = [
    (lambda text: text.replace("- {", "- [", 1), r"expected a list of segments, such as.*found - \[dur"),
    (lambda text: text.replace("- {", "- {{", 1), r"expected a list of segments, such as"),
    (lambda text: text.replace(", wav: ted_1.wav", "", 1), r"the segment lacks wav: - \{dur"),
    (lambda text: text.replace("wav: ted_1.wav", "wav: [a, b]", 1), r"the segment lacks wav: - \{dur"),
    (lambda text: text.replace("offset: 0", "offset: O", 1), r"offset must be a number of sec"),
    (lambda text: text.replace("offset: 0", "offset: 'nan' #", 1), r"expected a list of segments"),
    (
        lambda text: text.replace(".", ",", 1),
        r"the segment has a key without a value, '\d+': - \{",
    ),
    (lambda text: text.replace("wav:", "[a, b]: c, wav:", 1), r"the segment has a key that is a list or mapping: - \{"),
    (lambda text: text.replace("- {", f"- {'[' * 200_000}", 1), r"expected a list of segments, such as"),
    (lambda text: text.replace("spk.", "sp\udcffk.", 1), r"expected UTF-8, found the byte 0xFF"),
]


@pytest.mark.parametrize(("suffix", "change", "message"), NO_SPLIT)
def test_files_that_do_not_fit_together_make_no_split(tree, run_manifest, suffix, change, message, caplog):
    path = text_file(tree, suffix)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ManifestError, match=f"(?s){message}"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    out = run_manifest("must_c", tree.root, "--tgt-lang", "fr", *SKIP)
    assert re.search(f"(?s)train cannot be made and is left out: .*{message}", caplog.text)
    assert list(read_card(out, "manifest")["counts"]) == ["dev", "test_tst-COMMON", "test_tst-HE"]
    (listed,) = read_faults(out.with_name("out.errors.tsv"))
    assert listed.location == f"{tree.root}/en-fr/data/train"


@pytest.mark.parametrize(("change", "message"), NO_SEGMENT)
def test_a_segment_that_cannot_be_read_is_one_row_at_fault(tree, run_manifest, read_out, change, message):
    path = text_file(tree, "yaml")
    changed = change(path.read_text(encoding="utf-8"))
    path.write_text(changed, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ManifestError, match=f"(?s)train.yaml:1: {message}"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    listed = one_row_left_out(tree, run_manifest, read_out)
    assert listed.location == f"{path}:1"
    assert re.match(f"(?s){message}", listed.reason)


@pytest.mark.parametrize("number", [1, 3, 20])
def test_a_line_of_text_in_place_of_a_segment_is_one_row_at_fault(tree, run_manifest, read_out, number: int):
    path = text_file(tree, "yaml")
    change_line(path, number, lambda line: "hello world")
    with pytest.raises(ManifestError, match=rf"(?s)train.yaml:{number}: expected a list of .*found hello world"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    listed = one_row_left_out(tree, run_manifest, read_out)
    assert listed.location == f"{path}:{number}"


def test_a_line_too_many_is_named_where_the_counts_differ(tree, run_manifest):
    change_line(text_file(tree, "yaml"), 3, lambda line: f"{line}\nhello")
    message = r"(?s)train.en has 20 lines, .*has 21 segments: .* the first segment at fault is .*train.yaml:4: .*hello;"
    with pytest.raises(ManifestError, match=message):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")


def test_a_set_without_anything_is_named_and_does_not_stop_the_others(tree, run_manifest, caplog):
    for suffix in ("yaml", "en", "fr"):
        text_file(tree, suffix).write_bytes(b"")
    out = run_manifest("must_c", tree.root, "--tgt-lang", "fr", *SKIP)
    assert f"train cannot be made and is left out: {text_file(tree, 'yaml')}: is empty" in caplog.text
    assert list(read_card(out, "manifest")["counts"]) == ["dev", "test_tst-COMMON", "test_tst-HE"]


def test_a_set_without_translations_does_not_stop_the_others(tree, run_manifest, caplog):
    text_file(tree, "fr", "tst-HE").unlink()
    with pytest.raises(ManifestError, match=r"tst-HE.fr: cannot be read: No such file"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    out = run_manifest("must_c", tree.root, "--tgt-lang", "fr", "--on-error", "skip")
    assert list(read_card(out, "manifest")["counts"]) == ["train", "dev", "test_tst-COMMON"]
    assert "test_tst-HE cannot be made and is left out: " in caplog.text
    (listed,) = read_faults(out.with_name("out.errors.tsv"))
    assert "tst-HE.fr: cannot be read: No such file" in listed.reason


@pytest.mark.parametrize("linked", ["dev", "dev/txt/dev.yaml"])
def test_a_link_to_nothing_in_place_of_a_set_is_named(tree, run_manifest, linked: str):
    path = tree.root / "en-fr/data" / linked
    path.rename(tree.root / "elsewhere")
    path.symlink_to("gone")
    with pytest.raises(ManifestError, match=r"dev.yaml: cannot be read: No such file.* is a link to 'gone', which is"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")


def test_segments_are_read_in_any_style_of_yaml(tree, run_manifest, read_out):
    path = text_file(tree, "yaml")
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    expected = read_out("train")
    segments = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    segments = [segment | {"note": "long " * 30} for segment in segments]
    for style in (True, False, None):
        text = yaml.dump(segments, default_flow_style=style)
        for written in (text, f"# made by hand\n---\n{text}...\n", text.replace("\n", "\r\n")):
            path.write_text(written, encoding="utf-8", newline="")
            run_manifest("must_c", tree.root, "--tgt-lang", "fr")
            assert read_out("train") == expected, written[:300]
    path.write_text("\n".join(f"  {line}" for line in yaml.dump(segments).split("\n")), encoding="utf-8")
    run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    assert read_out("train") == expected


@pytest.mark.parametrize("style", [True, False])
def test_a_segment_at_fault_is_named_by_its_line_in_any_style(tree, run_manifest, style: bool):
    path = text_file(tree, "yaml")
    segments = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    segments[4]["duration"] = "0,5"
    path.write_text(yaml.dump(segments, default_flow_style=style), encoding="utf-8")
    line = next(n for n, text in enumerate(path.read_text().split("\n"), start=1) if "0,5" in text)
    with pytest.raises(ManifestError, match=rf"train.yaml:{line}: duration must be a number of seconds"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")


def test_a_text_that_is_not_utf_8_is_an_error_with_its_line(tree, run_manifest):
    path = text_file(tree, "fr")
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], "déjà".encode("latin-1"), *lines[2:]]))
    with pytest.raises(ManifestError, match="train.yaml:2: .*train.fr:2: expected UTF-8, found the byte 0xE9"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")
    out = run_manifest("must_c", tree.root, "--tgt-lang", "fr", *SKIP)
    (listed,) = read_faults(out.with_name("out.errors.tsv"))
    assert (listed.id, listed.location) == ("ted_1_1-fr", f"{text_file(tree, 'yaml')}:2")


def test_missing_files_and_folders_are_errors(tree, run_manifest, tmp_path: Path):
    with pytest.raises(ManifestError, match=r"expected en-de/data/SPLIT/txt/SPLIT.yaml or .* found en-fr; --root is"):
        run_manifest("must_c", tree.root, "--tgt-lang", "de")
    with pytest.raises(ManifestError, match="--tgt-lang must name each language once, got fr fr"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr", "fr")
    text_file(tree, "fr", "dev").unlink()
    with pytest.raises(ManifestError, match="dev.fr: cannot be read: No such file"):
        run_manifest("must_c", tree.root, "--tgt-lang", "fr")
