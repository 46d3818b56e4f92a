"""Truth: the units of files whose samples another program played faster or slower, in a manifest of their own."""

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cards import measure
from scipy.signal import resample_poly
from units_stage import units_arguments

from preprocess.__main__ import main
from preprocess.errors import PreprocessError
from preprocess.files.cards.card import DATA_VERSION
from preprocess.files.cards.stage_cards import UnitsCard
from preprocess.files.faults import read_faults
from preprocess.files.manifest import Utterance, read_manifest, write_manifest
from preprocess.files.units import read_units
from preprocess.speech import frames as frames_module
from preprocess.speech import shards as shards_module
from preprocess.speech.audio import load_sound
from preprocess.speech.length_memory import stamp_of
from preprocess.stages import units as units_module
from preprocess.stages.units import UnitsOptions, make_units

RATIOS = {0.9: (10, 9), 1.0: (1, 1), 1.1: (10, 11)}  # samples after : samples before
SPEEDS = ["--speeds", "0.9,1,1.1"]
SECONDS = [0.4, 0.5, 0.6, 0.7, 0.4, 0.5]  # of the audio of `make_manifest`


def read(kmeans: Path, name: str = "train") -> dict[str, list[int]]:
    return {row: list(units) for row, units in read_units(kmeans.parent / f"units/{name}.units")}


def read_card(kmeans: Path, name: str = "train") -> UnitsCard:
    return UnitsCard.read_file(kmeans.parent / f"units/{name}.card.json")


def write_other_audio(folder: Path, speed: float, is_resampled: bool) -> Path:
    """A manifest of files with the samples of `make_manifest` at a speed, either resampled or called another rate."""
    rows = []
    for index in range(6):
        samples, rate = soundfile.read(folder / f"audio/{index}.wav", dtype="float32")
        assert rate == 16_000
        path = folder / f"audio/{index}-{speed}.wav"
        if is_resampled:
            soundfile.write(path, resample_poly(samples, *RATIOS[speed]), 16_000, subtype="FLOAT")
        else:  # the very definition of sox: its effect `speed` changes the rate, and `rate` follows
            soundfile.write(path, samples, round(16_000 * speed), subtype="FLOAT")
        rows.append(Utterance(f"u{index}", path, 0.0, None, "en", "fr", "", "x", ""))
    write_manifest(folder / "other.tsv", rows)
    return folder / "other.tsv"


@pytest.mark.parametrize("is_resampled", [True, False])
@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_units_at_a_speed_are_those_of_audio_that_was_played_at_it(kmeans, speed: float, is_resampled: bool):
    assert main([*units_arguments(kmeans), *SPEEDS]) == 0
    write_other_audio(kmeans.parent, speed, is_resampled)
    assert main(units_arguments(kmeans, "other", "other.tsv")) == 0
    found, expected = read(kmeans), read(kmeans, "other")
    assert {name: found[f"sp{speed}-{name}"] for name in expected} == expected
    assert any(found[f"sp{speed}-{name}"] != found[name] for name in expected)


def test_the_lines_of_a_row_follow_each_other_and_those_at_speed_1_are_as_ever(kmeans):
    assert main(units_arguments(kmeans, "plain")) == 0
    assert main([*units_arguments(kmeans), "--speeds", "1.1", "0.9", "1"]) == 0
    found = read(kmeans)
    assert list(found) == [f"{prefix}u{index}" for index in range(6) for prefix in ("", "sp0.9-", "sp1.1-")]
    plain = read(kmeans, "plain")
    assert {name: found[name] for name in plain} == plain


def test_the_card_names_the_speeds_and_counts_seconds_at_them(kmeans):
    assert main([*units_arguments(kmeans), *SPEEDS]) == 0
    card = read_card(kmeans)
    assert card.speeds == (0.9, 1.0, 1.1)
    assert (card.utterances, card.skipped) == (18, 0)
    lengths = [math.ceil(round(16_000 * seconds) * up / down) for seconds in SECONDS for up, down in RATIOS.values()]
    assert card.seconds == pytest.approx(sum(lengths) / 16_000, abs=1e-3)
    assert card.seconds / sum(SECONDS) == pytest.approx(1 / 0.9 + 1 + 1 / 1.1, rel=1e-3)
    assert card.deduplicated_units == sum(map(len, read(kmeans).values()))
    assert sum(length * number for length, number in card.run_lengths.items()) == card.frames


def test_rows_that_share_audio_have_their_own_lines_at_every_speed(kmeans, monkeypatch):
    rows = read_manifest(kmeans.parent / "train.tsv")[:2]
    spanish = [Utterance(f"es{n}", row.audio, 0.0, None, "en", "es", "", "x", "") for n, row in enumerate(rows)]
    write_manifest(kmeans.parent / "two.tsv", [*rows, *spanish])
    decoded = []
    monkeypatch.setattr(frames_module, "load_sound", lambda *stretch: decoded.append(stretch) or load_sound(*stretch))
    assert main([*units_arguments(kmeans, manifest="two.tsv"), *SPEEDS]) == 0
    assert len(decoded) == 6
    found = read(kmeans)
    assert list(found) == [
        f"{prefix}{name}" for n in range(2) for name in (f"u{n}", f"es{n}") for prefix in ("", "sp0.9-", "sp1.1-")
    ]
    assert all(found[name.replace("u", "es")] == units for name, units in found.items())


def test_without_the_option_results_in_work_have_the_names_of_before_it(kmeans, monkeypatch):
    tasks = []
    compute = shards_module.Shards.compute

    def compute_and_keep(shards: shards_module.Shards, task: object) -> None:
        tasks.append(task)
        compute(shards, task)

    monkeypatch.setattr(shards_module.Shards, "compute", compute_and_keep)
    monkeypatch.setattr(units_module, "write_units", lambda *given: (_ for _ in ()).throw(OSError("full")))
    work = kmeans.parent / "units/.train.units.work"
    names: dict[str, set[str]] = {}
    for option in ("", "1", "1,0.9"):
        with pytest.raises(OSError, match="full"):
            speeds = tuple(map(float, option.split(","))) if option else (1.0,)
            make_units(kmeans.parent / "train.tsv", UnitsOptions(kmeans, work.parent / "train.units", speeds=speeds))
        names[option] = {path.name for path in work.glob("*.npz")}
    digest = hashlib.sha256(f"{DATA_VERSION} ('faults', 'cancelled') {tasks[0]!r}".encode())
    for row in read_manifest(kmeans.parent / "train.tsv")[:6]:
        digest.update(repr((row.id, 0.0, None, stamp_of(row.audio))).encode())
    assert names[""] == names["1"] == {f"{digest.hexdigest()[:32]}.npz"}
    assert len(names["1,0.9"]) == 2


def test_results_of_one_speed_are_not_taken_for_another(kmeans, monkeypatch):
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 0.01)  # each stretch at each speed for itself
    work = kmeans.parent / "units/.train.units.work"
    with monkeypatch.context() as broken:
        broken.setattr(units_module, "write_units", lambda *given: (_ for _ in ()).throw(OSError("full")))
        for speeds in ((1.0, 0.9), (1.0, 1.1)):
            with pytest.raises(OSError, match="full"):
                options = UnitsOptions(kmeans, kmeans.parent / "units/train.units", speeds=speeds)
                make_units(kmeans.parent / "train.tsv", options)
    assert len(list(work.glob("*.npz"))) == 6 * 3
    monkeypatch.setattr(frames_module, "load_sound", None)  # all is done
    assert main([*units_arguments(kmeans), *SPEEDS]) == 0
    monkeypatch.undo()
    assert main([*units_arguments(kmeans, "again"), *SPEEDS]) == 0
    assert read(kmeans) == read(kmeans, "again")


def test_results_at_a_speed_are_not_those_of_a_row_that_is_called_so(kmeans, monkeypatch):
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 0.01)
    options = UnitsOptions(kmeans, kmeans.parent / "units/train.units", speeds=(1.0, 0.9))
    with monkeypatch.context() as broken, pytest.raises(OSError, match="full"):
        broken.setattr(units_module, "write_units", lambda *given: (_ for _ in ()).throw(OSError("full")))
        make_units(kmeans.parent / "train.tsv", options)
    rows = read_manifest(kmeans.parent / "train.tsv")[:6]
    write_manifest(kmeans.parent / "train.tsv", [replace(row, id=f"sp0.9-{row.id}") for row in rows])
    assert main(units_arguments(kmeans)) == 0
    assert main(units_arguments(kmeans, "again")) == 0
    assert read(kmeans) == read(kmeans, "again")


def test_interrupted_and_run_again_gives_the_same_bytes(kmeans, monkeypatch):
    assert main([*units_arguments(kmeans, "whole"), *SPEEDS]) == 0
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 1.0)
    decoded = []

    def load_nine(*stretch: object) -> object:
        decoded.append(stretch)
        if len(decoded) > 9:
            raise KeyboardInterrupt
        return load_sound(*stretch)

    with monkeypatch.context() as interrupted:
        interrupted.setattr(frames_module, "load_sound", load_nine)
        assert main([*units_arguments(kmeans), *SPEEDS]) == 130
    num_done = len(list((kmeans.parent / "units/.train.units.work").glob("*.npz")))
    assert num_done >= 3
    decoded.clear()
    monkeypatch.setattr(frames_module, "load_sound", lambda *stretch: decoded.append(stretch) or load_sound(*stretch))
    assert main([*units_arguments(kmeans), *SPEEDS]) == 0
    assert 0 < len(decoded) <= 18 - num_done
    folder = kmeans.parent / "units"
    assert (folder / "train.units").read_bytes() == (folder / "whole.units").read_bytes()
    assert read_card(kmeans).seconds == read_card(kmeans, "whole").seconds
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_two_processes_give_the_bytes_of_one(kmeans, monkeypatch):
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 1.0)
    assert main([*units_arguments(kmeans, "one"), *SPEEDS]) == 0
    assert main([*units_arguments(kmeans, "two"), *SPEEDS, "--workers", "2"]) == 0
    assert measure(kmeans.parent / "units/one.units") == measure(kmeans.parent / "units/two.units")


@pytest.fixture
def of_a_minute(kmeans) -> Path:
    """A manifest, of whose rows one is too long at speed 0.9 alone, and one at 1 and 0.9."""
    audio = kmeans.parent / "audio"
    noise = 0.1 * np.random.default_rng(0).standard_normal(62 * 16_000)
    rows = read_manifest(kmeans.parent / "train.tsv")[:3]
    for index, seconds in ((0, 56.0), (1, 62.0)):
        soundfile.write(audio / f"{index}.wav", noise[: round(16_000 * seconds)], 16_000)
    write_manifest(kmeans.parent / "long.tsv", rows)
    return kmeans.parent / "long.tsv"


def test_a_row_that_is_too_long_at_one_speed_is_named_with_it(kmeans, of_a_minute: Path, capsys):
    assert main([*units_arguments(kmeans, manifest="long.tsv"), *SPEEDS]) == 1
    audio = kmeans.parent / "audio"
    assert (
        f"{of_a_minute}:2: utterance 'sp0.9-u0': {audio}/0.wav at speed 0.9: too long: 62.2 s, expected at most 60 s; "
        "cut it into rows with offset and duration; "
    ) in capsys.readouterr().err


def test_a_row_that_is_too_long_at_one_speed_is_used_at_the_others(kmeans, of_a_minute: Path, capsys):
    skipping = [*units_arguments(kmeans, manifest="long.tsv"), *SPEEDS, "--on-error", "skip"]
    assert main([*skipping, "--max-errors", "0.3"]) == 1
    assert "3 of 9 cannot be used and are listed in errors.tsv, more than --max-errors 0.3" in capsys.readouterr().err
    assert main([*skipping, "--max-errors", "0.34"]) == 0
    faults = read_faults(kmeans.parent / "units/train.errors.tsv")
    assert [(fault.id, fault.location) for fault in faults] == [
        ("sp0.9-u0", f"{of_a_minute}:2"),
        ("u1", f"{of_a_minute}:3"),
        ("sp0.9-u1", f"{of_a_minute}:3"),
    ]
    assert list(read(kmeans)) == ["u0", "sp1.1-u0", "sp1.1-u1", "u2", "sp0.9-u2", "sp1.1-u2"]
    card = read_card(kmeans)
    assert (card.utterances, card.skipped) == (6, 3)
    assert card.seconds == pytest.approx(56 + (56 + 62) / 1.1 + 0.6 * (1 + 1 / 0.9 + 1 / 1.1), abs=0.01)


def test_a_file_that_is_no_sound_is_listed_at_every_speed(kmeans):
    (kmeans.parent / "audio/4.wav").write_bytes(b"no sound")
    assert main([*units_arguments(kmeans), *SPEEDS, "--on-error", "skip", "--max-errors", "0.2"]) == 0
    faults = read_faults(kmeans.parent / "units/train.errors.tsv")
    assert [fault.id for fault in faults] == ["u4", "sp0.9-u4", "sp1.1-u4"]
    assert len(read(kmeans)) == 15


def test_rows_whose_channels_cancel_are_counted_once_in_words_and_by_line_in_the_card(kmeans, caplog):
    samples, rate = soundfile.read(kmeans.parent / "audio/1.wav")
    soundfile.write(kmeans.parent / "audio/1.wav", np.stack([samples, -samples], axis=1), rate)
    assert main([*units_arguments(kmeans), *SPEEDS]) == 0
    assert "the channels of 1 rows cancel each other" in caplog.text
    card = json.loads((kmeans.parent / "units/train.card.json").read_text())
    assert card["cancelled"] == {"count": 3, "first": ["u1", "sp0.9-u1", "sp1.1-u1"]}


@pytest.mark.parametrize("name", ["dev.tsv", "test.tsv", "test_far.tsv"])
def test_other_speeds_of_dev_and_test_are_refused_before_any_work(kmeans, capsys, name: str):
    (kmeans.parent / "train.tsv").rename(kmeans.parent / name)
    assert main([*units_arguments(kmeans, manifest=name), *SPEEDS]) == 1
    assert f"{name}: --speeds 0.9,1,1.1 is for train alone, not for dev.tsv and test*.tsv" in capsys.readouterr().err
    assert not (kmeans.parent / "units").exists()
    assert main([*units_arguments(kmeans, manifest=name), "--speeds", "1"]) == 0


def test_a_row_that_has_the_name_of_another_at_a_speed_is_refused(kmeans, capsys):
    rows = read_manifest(kmeans.parent / "train.tsv")
    rows.append(Utterance("sp0.9-u2", rows[0].audio, 0.0, 0.3, "en", "fr", "", "x", ""))
    write_manifest(kmeans.parent / "train.tsv", rows)
    assert main([*units_arguments(kmeans), *SPEEDS]) == 1
    message = "train.tsv:9: utterance 'sp0.9-u2': the id is also that of utterance 'u2' ("
    assert message in capsys.readouterr().err
    assert main([*units_arguments(kmeans), "--speeds", "1,1.1"]) == 0
    assert list(read(kmeans))[-2:] == ["sp0.9-u2", "sp1.1-sp0.9-u2"]


def test_speeds_without_1_are_refused(kmeans, capsys):
    assert main([*units_arguments(kmeans), "--speeds", "0.9,1.1"]) == 1
    assert "error: --speeds must have 1 among them, speech as it is, got 0.9,1.1" in capsys.readouterr().err
    with pytest.raises(PreprocessError, match="--speeds must differ"):
        UnitsOptions(kmeans, Path("x.units"), speeds=(1.0, 1.0))
