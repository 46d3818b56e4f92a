import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cards import edit_card, measure
from units_stage import units_arguments

from preprocess.__main__ import main
from preprocess.clustering.centroids import load_kmeans
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.files.faults import Fault, read_faults
from preprocess.files.units import deduplicate, read_units
from preprocess.speech import frames as frames_module
from preprocess.speech import shards as shards_module
from preprocess.speech.audio import load_audio, load_sound
from preprocess.speech.extractors.mfcc import MfccExtractor
from preprocess.speech.shard_progress import SecondsDone
from preprocess.stages.units import UnitsOptions, make_units

ROOT = Path(__file__).resolve().parents[3]


def files(kmeans: Path) -> list[str]:
    folder = kmeans.parent / "units"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def read_card(kmeans: Path, name: str = "train") -> dict:
    return json.loads((kmeans.parent / f"units/{name}.card.json").read_text())


def expected_units(kmeans: Path, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Deduplicated units and run lengths of audio/INDEX.wav."""
    centroids, _ = load_kmeans(kmeans)
    (frames,) = MfccExtractor().frames([load_audio(kmeans.parent / f"audio/{index}.wav")])
    return deduplicate(NearestCentroid(centroids)(frames))


def test_units_are_the_deduplicated_nearest_centroids_of_every_row_with_audio(kmeans):
    assert main(units_arguments(kmeans)) == 0
    utterances = list(read_units(kmeans.parent / "units/train.units"))
    assert [name for name, _ in utterances] == [f"u{index}" for index in range(6)]  # not "text-only"
    for index, (_, units) in enumerate(utterances):
        assert list(units) == expected_units(kmeans, index)[0].tolist()


def test_the_card_says_where_the_units_come_from(kmeans):
    assert main(units_arguments(kmeans)) == 0
    assert files(kmeans) == ["train.card.json", "train.units"]
    card = read_card(kmeans)
    utterances = list(read_units(kmeans.parent / "units/train.units"))
    assert card["stage"] == "units"
    assert card["kmeans"] == json.loads((kmeans / "card.json").read_text())
    assert card["kmeans_folder"] == "../kmeans"
    assert card["hashes"] == {"train.units": measure(kmeans.parent / "units/train.units")}
    assert (card["utterances"], card["skipped"]) == (6, 0)
    assert card["seconds"] == pytest.approx(2 * 0.4 + 2 * 0.5 + 0.6 + 0.7)
    assert card["frames"] == card["kmeans"]["frames"]  # the k-means saw all of them
    assert card["deduplicated_units"] == sum(len(units) for _, units in utterances)


def test_the_card_counts_runs_by_their_length(kmeans):
    assert main(units_arguments(kmeans)) == 0
    run_lengths = np.concatenate([expected_units(kmeans, index)[1] for index in range(6)])
    lengths, numbers = np.unique(run_lengths, return_counts=True)
    assert read_card(kmeans)["run_lengths"] == {
        str(length): number for length, number in zip(lengths.tolist(), numbers.tolist(), strict=True)
    }


def test_the_size_of_shards_and_batches_changes_nothing(kmeans, monkeypatch):
    assert main(units_arguments(kmeans, "whole")) == 0
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 1.2)
    monkeypatch.setattr(frames_module, "BATCH_SECONDS", 1.0)
    assert main(units_arguments(kmeans, "small")) == 0
    folder = kmeans.parent / "units"
    assert (folder / "whole.units").read_bytes() == (folder / "small.units").read_bytes()
    own = {"hashes": 0, "card_hash": 0}
    assert read_card(kmeans, "whole") | own == read_card(kmeans, "small") | own


def test_rows_that_share_audio_stand_together_and_are_computed_once(kmeans, monkeypatch):
    lines = (kmeans.parent / "train.tsv").read_text().splitlines()
    spanish = [line.replace("u", "es", 1).replace("\tfr\t", "\tes\t") for line in lines[1:-1]]
    (kmeans.parent / "two.tsv").write_text("\n".join([*lines, *spanish]) + "\n")
    read = []
    monkeypatch.setattr(frames_module, "load_sound", lambda *segment: read.append(segment) or load_sound(*segment))
    assert main(units_arguments(kmeans)) == 0
    assert main(units_arguments(kmeans, "two", "two.tsv")) == 0
    assert len(read) == 12
    french = dict(read_units(kmeans.parent / "units/train.units"))
    utterances = list(read_units(kmeans.parent / "units/two.units"))
    assert [name for name, _ in utterances] == [f"{name}{index}" for index in range(6) for name in ("u", "es")]
    assert all(list(units) == list(french[name.replace("es", "u")]) for name, units in utterances)
    one, two = read_card(kmeans), read_card(kmeans, "two")
    assert two["seconds"] == 2 * one["seconds"]
    assert two["run_lengths"] == {length: 2 * number for length, number in one["run_lengths"].items()}


def test_each_utterance_is_told_of_while_its_shard_is_made(kmeans, monkeypatch):
    told = []
    monkeypatch.setattr(SecondsDone, "add", lambda self, seconds: told.append(seconds))
    assert main(units_arguments(kmeans)) == 0
    assert told == [0.7, 0.6, 0.5, 0.5, 0.4, 0.4]  # the longest first
    told.clear()
    options = ["--manifest", kmeans.parent / "train.tsv", "--extractor", "mfcc", "--clusters", 8, "--portion", 0.5]
    assert main(["kmeans", *map(str, options), "--out", str(kmeans.parent / "again")]) == 0
    assert told == [0.7, 0.6, 0.5, 0.5, 0.4, 0.4]


def test_an_utterance_at_fault_is_named_and_the_rest_goes_on_from_there(kmeans, capsys, monkeypatch):
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 1.0)
    assert main(units_arguments(kmeans, "whole")) == 0
    broken = kmeans.parent / "audio/4.wav"
    content = broken.read_bytes()
    soundfile.write(broken, np.full(6400, np.nan), 16_000, subtype="FLOAT")
    assert main(units_arguments(kmeans)) == 1
    assert f"{kmeans.parent}/train.tsv:6: utterance 'u4': {broken}: " in capsys.readouterr().err
    assert files(kmeans) == [".train.units.work", "whole.card.json", "whole.units"]
    broken.write_bytes(content)
    read = []
    monkeypatch.setattr(frames_module, "load_sound", lambda *segment: read.append(segment) or load_sound(*segment))
    assert main(units_arguments(kmeans)) == 0
    assert [path.name for path, *_ in read] == ["4.wav", "5.wav"]
    assert files(kmeans) == ["train.card.json", "train.units", "whole.card.json", "whole.units"]
    assert (kmeans.parent / "units/train.units").read_bytes() == (kmeans.parent / "units/whole.units").read_bytes()


def test_skipped_utterances_are_listed_with_the_reason_and_the_others_are_as_ever(kmeans, capsys):
    assert main(units_arguments(kmeans, "whole")) == 0
    (kmeans.parent / "audio/1.wav").unlink()
    (kmeans.parent / "audio/4.wav").write_bytes(b"no sound")
    skipping = [*units_arguments(kmeans), "--on-error", "skip"]
    assert main(skipping) == 1
    assert "2 of 6 cannot be used and are listed in errors.tsv, more than --max-errors 0.001" in capsys.readouterr().err
    assert files(kmeans) == [".train.units.work", "train.errors.tsv", "whole.card.json", "whole.units"]
    assert [path.name for path in (kmeans.parent / "units/.train.units.work").iterdir()] == [
        "lengths"
    ]  # before any work
    assert main([*skipping, "--max-errors", "0.4"]) == 0
    assert files(kmeans) == ["train.card.json", "train.errors.tsv", "train.units", "whole.card.json", "whole.units"]
    first, second = read_faults(kmeans.parent / "units/train.errors.tsv")
    manifest = kmeans.parent / "train.tsv"
    assert first == Fault("u1", f"{manifest}:3", f"{kmeans.parent}/audio/1.wav: audio file not found")
    assert (second.id, second.location) == ("u4", f"{manifest}:6")
    assert "4.wav: not audio" in second.reason
    whole = dict(read_units(kmeans.parent / "units/whole.units"))
    found = dict(read_units(kmeans.parent / "units/train.units"))
    assert {name: list(units) for name, units in found.items()} == {
        name: list(units) for name, units in whole.items() if name not in ("u1", "u4")
    }
    card = read_card(kmeans)
    assert (card["utterances"], card["skipped"]) == (4, 2)
    assert card["hashes"].keys() == {"train.units", "train.errors.tsv"}


def test_frames_that_are_no_numbers_are_refused_by_name(kmeans, capsys, monkeypatch):
    def frames(self: MfccExtractor, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        return [np.full((5, 39), np.nan if len(waveform) == 0.7 * 16_000 else 0.0) for waveform in waveforms]

    monkeypatch.setattr(MfccExtractor, "frames", frames)
    assert main(units_arguments(kmeans)) == 1
    assert "train.tsv:5: utterance 'u3': the extractor 'mfcc' gave NaN or infinite" in capsys.readouterr().err


SLOW_STAGE = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes its background jobs ignore it
from preprocess.speech import frames, shards
from preprocess.__main__ import main
shards.SHARD_SECONDS = 1.0
decode = frames.load_sound
frames.load_sound = lambda *arguments: time.sleep(0.1) or decode(*arguments)
sys.exit(main(sys.argv[1:]))
"""


def test_interrupted_by_the_keyboard_and_run_again_gives_the_same_bytes(kmeans, make_manifest, monkeypatch):
    make_manifest(count=20, name="long.tsv")
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 1.0)
    assert main(units_arguments(kmeans, "whole", "long.tsv")) == 0
    command = units_arguments(kmeans, "stopped", "long.tsv")
    process = subprocess.Popen([sys.executable, "-c", SLOW_STAGE, *command], cwd=ROOT, stderr=subprocess.DEVNULL)
    work = kmeans.parent / "units/.stopped.units.work"
    deadline = time.time() + 60
    while time.time() < deadline and len(list(work.glob("*.npz"))) < 3:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert not {"stopped.units", ".stopped.units.lock"} & set(files(kmeans))
    num_done = len(list(work.iterdir()))
    assert 3 <= num_done < 20
    read = []
    monkeypatch.setattr(frames_module, "load_sound", lambda *segment: read.append(segment) or load_sound(*segment))
    assert main(command) == 0
    assert len(read) <= 20 - num_done
    folder = kmeans.parent / "units"
    assert (folder / "stopped.units").read_bytes() == (folder / "whole.units").read_bytes()
    assert not work.exists()


FULL_DISK_STAGE = """
import resource, signal, sys
from preprocess.speech import shards
from preprocess.__main__ import main
shards.SHARD_SECONDS = 1.0
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writes fail with EFBIG in place of ENOSPC
make, num_to_make = shards._make, int(sys.argv[1])
def make_and_fill_the_disk(*arguments):
    global num_to_make
    num_to_make -= 1
    seconds = make(*arguments)
    if num_to_make == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50, -1))
    return seconds
shards._make = make_and_fill_the_disk
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs resource limits")
@pytest.mark.parametrize("num_finished", [2, 4])
def test_a_full_disk_is_named_and_what_is_finished_is_kept(kmeans, num_finished: int):
    process = subprocess.run(
        [sys.executable, "-c", FULL_DISK_STAGE, str(num_finished), *units_arguments(kmeans)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert f"error: cannot write {kmeans.parent}/units/" in process.stderr
    assert "File too large; run again to go on" in process.stderr
    assert "Traceback" not in process.stderr
    assert files(kmeans) == [".train.units.work"]
    assert len(list((kmeans.parent / "units/.train.units.work").glob("*.npz"))) == num_finished
    assert main(units_arguments(kmeans)) == 0
    assert files(kmeans) == ["train.card.json", "train.units"]


def test_results_of_other_centroids_are_not_used(kmeans, capsys):
    soundfile.write(kmeans.parent / "audio/5.wav", np.full(8000, np.nan), 16_000, subtype="FLOAT")
    assert main([*units_arguments(kmeans), "--on-error", "skip", "--max-errors", "0"]) == 1  # leaves results
    options = ["--extractor", "mfcc", "--clusters", "7", "--portion", "1", "--on-error", "skip", "--max-errors", "1"]
    manifest = str(kmeans.parent / "train.tsv")
    assert main(["kmeans", "--manifest", manifest, *options, "--out", str(kmeans)]) == 0
    assert main([*units_arguments(kmeans), "--on-error", "skip", "--max-errors", "1"]) == 0
    for index, (_, units) in enumerate(read_units(kmeans.parent / "units/train.units")):
        assert list(units) == expected_units(kmeans, index)[0].tolist()


def test_an_extractor_that_is_not_the_one_of_the_kmeans_is_refused(kmeans, capsys):
    extractor = json.loads((kmeans / "card.json").read_text())["extractor"]
    edit_card(kmeans / "card.json", extractor=extractor | {"hash": "0" * 64})
    assert main(units_arguments(kmeans)) == 1
    assert "is not the one of the k-means: expected the hash 000000000000" in capsys.readouterr().err
    assert files(kmeans) == [".train.units.work"]  # lengths


def test_a_manifest_without_audio_or_a_wrong_output_name_is_refused(kmeans, capsys):
    manifest = kmeans.parent / "train.tsv"
    lines = manifest.read_text().splitlines()
    (kmeans.parent / "text.tsv").write_text("\n".join([lines[0], lines[-1]]) + "\n")
    assert main(units_arguments(kmeans, manifest="text.tsv")) == 1
    assert "text.tsv: no row has audio" in capsys.readouterr().err
    assert main([*units_arguments(kmeans)[:-1], "units.txt"]) == 1
    assert "--out must be a file named *.units, got units.txt" in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_whose_channels_cancel_each_other_are_named_also_after_an_interruption(
    kmeans, caplog, monkeypatch, workers
):
    audio = kmeans.parent / "audio"
    for index in (1, 4):
        samples, rate = soundfile.read(audio / f"{index}.wav")
        soundfile.write(audio / f"{index}.wav", np.stack([samples, -samples], axis=1), rate)
    monkeypatch.setattr(shards_module, "SHARD_SECONDS", 1.0)
    with monkeypatch.context() as broken, pytest.raises(OSError, match="full"):
        broken.setattr("preprocess.stages.units.write_units", lambda *given: (_ for _ in ()).throw(OSError("full")))
        make_units(kmeans.parent / "train.tsv", UnitsOptions(kmeans, kmeans.parent / "units/train.units"))
    caplog.clear()
    monkeypatch.setattr(frames_module, "load_sound", None)  # all is done
    assert main([*units_arguments(kmeans), "--workers", str(workers)]) == 0
    assert read_card(kmeans)["cancelled"] == {"count": 2, "first": ["u1", "u4"]}
    first = f"{kmeans.parent}/train.tsv:3: utterance 'u1', {audio}/1.wav"
    assert "the channels of 2 rows cancel each other, so that their average" in caplog.text and first in caplog.text
