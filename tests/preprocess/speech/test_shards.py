from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from cards import read_card

from preprocess.__main__ import main
from preprocess.errors import AudioError, PreprocessError
from preprocess.files.faults import FaultOptions, read_faults
from preprocess.files.manifest import Utterance, write_manifest
from preprocess.speech import shards as shards_module
from preprocess.speech.audio import LengthLimits
from preprocess.speech.frames import AudioSpan
from preprocess.speech.shards import Arrays, AudioOptions, Shards

Make = Callable[..., Shards]
MADE: list[list[str]] = []  # ids of the spans of each call of a task


@dataclass(frozen=True)
class LengthTask:
    """The length of each span's file in bytes; files of no bytes are at fault."""

    option: int = 0

    def __call__(self, spans: Sequence[AudioSpan], report: Callable[[float], None]) -> Arrays:
        MADE.append([span.ids[0] for span in spans])
        sizes = np.array([span.audio.stat().st_size for span in spans])
        faults = np.array(["" if size else "it is empty" for size in sizes])
        return {"sizes": sizes, "faults": faults, "cancelled": np.zeros(len(spans), dtype=bool)}


@pytest.fixture
def make(tmp_path: Path, monkeypatch) -> Make:
    """A function that makes `Shards` of rows with the given durations, each with a file of its own."""
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 10.0)
    MADE.clear()

    def make(durations: Sequence[float | None], **options: object) -> Shards:
        rows = []
        for index, duration in enumerate(durations):
            path = tmp_path / f"{index}.wav"
            if not path.exists():
                path.write_bytes(b"x" * (10 + index))
            rows.append(Utterance(f"u{index}", path, 0.0, duration, "en", "fr", "", "x", ""))
        write_manifest(tmp_path / "train.tsv", rows)
        faults = FaultOptions(**{"max_errors": 0.0} | options)
        return Shards(tmp_path / "train.tsv", tmp_path / "out", AudioOptions(faults=faults), LengthLimits())

    return make


def sizes(shards: Shards) -> list[int]:
    return [int(size) for _, arrays in shards.results() for size in arrays["sizes"]]


def test_shards_are_consecutive_and_of_bounded_length(make: Make):
    shards = make([4, 4, 4, 6, 25, 1])
    shards.compute(LengthTask())
    assert MADE == [["u0", "u1"], ["u2", "u3"], ["u4"], ["u5"]]
    assert shards.seconds == 44
    assert sizes(shards) == [10, 11, 12, 13, 14, 15]


def test_where_the_manifest_gives_no_duration_the_file_is_measured(make: Make, tmp_path: Path):
    import soundfile

    for index in range(4):
        soundfile.write(tmp_path / f"{index}.wav", np.zeros(16_000 * (3 + index)), 16_000)
    shards = make([None] * 4)
    shards.compute(LengthTask())
    assert MADE == [["u0", "u1"], ["u2"], ["u3"]]
    assert shards.seconds == 3 + 4 + 5 + 6


def test_finished_shards_are_not_made_again_and_others_are(make: Make, tmp_path: Path):
    make([6] * 5).compute(LengthTask())
    MADE.clear()
    make([6] * 5).compute(LengthTask())
    assert MADE == []
    make([6] * 6).compute(LengthTask())  # a longer manifest
    assert MADE == [["u5"]]
    (tmp_path / "2.wav").write_bytes(b"changed")
    shards = make([6] * 5)
    shards.compute(LengthTask())
    assert MADE == [["u5"], ["u2"]]
    assert sizes(shards) == [10, 11, 7, 13, 14]
    make([6] * 5).compute(LengthTask(option=1))  # other work
    assert len(MADE) == 2 + 5


def test_what_was_left_half_is_made_again(make: Make, tmp_path: Path):
    make([6] * 3).compute(LengthTask())
    results = sorted((tmp_path / ".out.work").glob("*.npz"))
    results[1].rename(results[1].with_name(f".{results[1].name}a.partial"))
    MADE.clear()
    shards = make([6] * 3)
    shards.compute(LengthTask())
    assert len(MADE) == 1
    assert sizes(shards) == [10, 11, 12]
    shards.remove()
    assert not (tmp_path / ".out.work").exists()


def test_what_is_damaged_is_made_again_with_a_warning(make: Make, tmp_path: Path, caplog):
    make([6] * 2).compute(LengthTask())
    path = min((tmp_path / ".out.work").glob("*.npz"))
    whole, generator = path.read_bytes(), np.random.default_rng(0)
    damaged = [b"", b"{}", whole[:-1], whole[: len(whole) // 2], whole[1:], whole + whole]
    for place in generator.integers(0, len(whole), size=60):
        damaged.append(whole[:place] + bytes([whole[place] ^ 1 << int(generator.integers(8))]) + whole[place + 1 :])
    np.savez(tmp_path / "other.npz", faults=np.array([""] * 7), cancelled=np.zeros(7, dtype=bool))
    damaged.append((tmp_path / "other.npz").read_bytes())
    num_made = 0
    for content in damaged:
        path.write_bytes(content)
        MADE.clear()
        caplog.clear()
        shards = make([6] * 2)
        shards.compute(LengthTask())
        assert sizes(shards) == [10, 11]
        assert len(MADE) == ("was damaged: what it held is made again" in caplog.text)
        num_made += len(MADE)
    assert num_made >= 40  # a bit of a time of change or of a file's rights says nothing


def test_faults_are_listed_and_their_share_is_limited(make: Make, tmp_path: Path):
    (tmp_path / "1.wav").touch()
    shards = make([6] * 4, on_error="skip", max_errors=0.25)
    shards.compute(LengthTask())
    assert [(fault.id, fault.location, fault.reason) for fault in shards.faults] == [
        ("u1", f"{tmp_path}/train.tsv:3", "it is empty")
    ]
    assert (tmp_path / "out.errors.tsv").exists()
    (tmp_path / "3.wav").write_bytes(b"")
    with pytest.raises(PreprocessError, match="2 of 4 .* more than --max-errors 0.49 allows"):
        make([6] * 4, on_error="skip", max_errors=0.49).compute(LengthTask())
    (tmp_path / "3.wav").write_bytes(b"mended")
    (tmp_path / "1.wav").write_bytes(b"mended")
    make([6] * 4, on_error="skip").compute(LengthTask())
    assert not (tmp_path / "out.errors.tsv").exists()


def test_rows_that_no_encoder_takes_are_all_named_before_any_work(make: Make, tmp_path: Path):
    import soundfile

    for index, seconds in enumerate((1, 61, 0.01, 62)):
        soundfile.write(tmp_path / f"{index}.wav", np.zeros(round(16_000 * seconds)), 16_000)
    durations = [None, 61.0, None, None, None]  # the last is no sound
    message = r"train.tsv:3: utterance 'u1': .*1.wav: too long: 61.0 s, expected at most 60 s; cut .*lists all 4 rows"
    with pytest.raises(AudioError, match=message):
        make(durations)
    assert [
        (fault.location[-1], fault.reason.split(": ")[1]) for fault in read_faults(tmp_path / "out.errors.tsv")
    ] == [
        ("3", "too long"),
        ("4", "too short"),
        ("5", "too long"),
        ("6", "not audio but text, which begins 'xxxxxxxxxxxxxx'; leave it out"),
    ]
    with pytest.raises(PreprocessError, match="4 of 5 .* more than --max-errors 0.7 allows"):
        make(durations, on_error="skip", max_errors=0.7)
    assert MADE == []
    shards = make(durations, on_error="skip", max_errors=0.8)
    shards.compute(LengthTask())
    assert MADE == [["u0"]]
    assert [fault.id for fault in shards.faults] == ["u1", "u2", "u3", "u4"]


def test_a_length_within_the_limits_is_taken_from_the_manifest(make: Make, monkeypatch):
    monkeypatch.setattr("preprocess.speech.lengths.measure_audio", None)  # the files are no sound
    assert make([1.0, 59.0]).seconds == 60


def test_what_is_left_out_is_not_worked_on(make: Make):
    shards = make([6] * 3)
    shards.keep(shards.spans[1:])
    shards.compute(LengthTask())
    assert MADE == [["u1"], ["u2"]]
    assert shards.seconds == 12


def test_a_share_that_is_none_is_refused_before_any_work(make: Make):
    with pytest.raises(PreprocessError, match="--max-errors is a share"):
        make([6], max_errors=2)
    assert MADE == []


def test_two_processes_give_the_bytes_of_one(make_manifest, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 1.0)
    manifest = str(make_manifest(count=8))
    kmeans = ["--extractor", "mfcc", "--clusters", "8", "--portion", "0.5"]
    for name, options in (("one", []), ("two", ["--workers", "2"])):
        folder = tmp_path / name
        common = ["--manifest", manifest, *options, "--out"]
        assert main(["kmeans", *kmeans, *common, str(folder / "kmeans")]) == 0
        assert main(["units", "--kmeans", str(folder / "kmeans"), *common, str(folder / "train.units")]) == 0
    one, two = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "two")
    )
    assert len(one) == 4
    assert one == two


def test_a_shard_whose_reading_fails_in_a_worker_names_the_row(make_manifest, tmp_path: Path, capsys):
    manifest = make_manifest()
    (tmp_path / "audio/2.wav").write_bytes(b"no sound")
    kmeans = ["kmeans", "--manifest", str(manifest), "--extractor", "mfcc", "--clusters", "8", "--workers", "2"]
    assert main([*kmeans, "--out", str(tmp_path / "kmeans")]) == 1
    assert f"error: {manifest}:4: utterance 'u2': {tmp_path}/audio/2.wav: not audio" in capsys.readouterr().err


def test_a_kmeans_that_skips_a_row_is_the_one_without_the_row(make_manifest, tmp_path: Path):
    manifest = make_manifest()
    (tmp_path / "audio/2.wav").write_bytes(b"no sound")
    lines = manifest.read_text().splitlines(keepends=True)
    (tmp_path / "five.tsv").write_text("".join(lines[:3] + lines[4:]))
    kmeans = ["kmeans", "--extractor", "mfcc", "--clusters", "8", "--portion", "0.7", "--manifest"]
    skipping = ["--on-error", "skip", "--max-errors", "0.2"]
    assert main([*kmeans, str(manifest), *skipping, "--out", str(tmp_path / "six")]) == 0
    assert main([*kmeans, str(tmp_path / "five.tsv"), "--out", str(tmp_path / "five")]) == 0
    assert [fault.id for fault in read_faults(tmp_path / "six.errors.tsv")] == ["u2"]
    six, five = (read_card(tmp_path / name, "kmeans") for name in ("six", "five"))
    assert (six.pop("skipped"), five.pop("skipped")) == (1, 0)
    assert six.pop("card_hash") != five.pop("card_hash")
    assert six == five  # with the centroids' hash
