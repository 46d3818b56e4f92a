import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from preprocess import frames as frames_module
from preprocess.__main__ import main
from preprocess.audio import load_audio
from preprocess.card import hash_file
from preprocess.extractors.mfcc import MfccExtractor
from preprocess.kmeans import assign_clusters, load_kmeans
from preprocess.units import deduplicate, read_units

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kmeans(make_manifest, tmp_path: Path) -> Path:
    arguments = ["--extractor", "mfcc", "--clusters", "8", "--portion", "1", "--out", str(tmp_path / "kmeans")]
    assert main(["kmeans", "--manifest", str(make_manifest()), *arguments]) == 0
    return tmp_path / "kmeans"


def arguments(kmeans: Path, name: str = "train", manifest: str = "train.tsv") -> list[str]:
    folder = kmeans.parent
    out = str(folder / "units" / f"{name}.units")
    return ["units", "--manifest", str(folder / manifest), "--kmeans", str(kmeans), "--out", out]


def files(kmeans: Path) -> list[str]:
    folder = kmeans.parent / "units"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_units_are_the_deduplicated_nearest_centroids_of_every_row_with_audio(kmeans):
    assert main(arguments(kmeans)) == 0
    centroids, _ = load_kmeans(kmeans)
    utterances = read_units(kmeans.parent / "units/train.units")
    assert [name for name, _ in utterances] == [f"u{index}" for index in range(6)]  # not "text-only"
    for index, (_, units) in enumerate(utterances):
        (frames,) = MfccExtractor().frames([load_audio(kmeans.parent / f"audio/{index}.wav")])
        assert units == deduplicate(assign_clusters(frames, centroids))[0].tolist()


def test_the_card_says_where_the_units_come_from(kmeans):
    assert main(arguments(kmeans)) == 0
    assert files(kmeans) == ["train.card.json", "train.units"]
    card = json.loads((kmeans.parent / "units/train.card.json").read_text())
    utterances = read_units(kmeans.parent / "units/train.units")
    assert card["stage"] == "units"
    assert card["kmeans"] == json.loads((kmeans / "card.json").read_text())
    assert card["kmeans_folder"] == "../kmeans"
    assert card["hashes"] == {"train.units": hash_file(kmeans.parent / "units/train.units")}
    assert card["utterances"] == 6
    assert card["seconds"] == pytest.approx(2 * 0.4 + 2 * 0.5 + 0.6 + 0.7)
    assert card["frames"] == card["kmeans"]["frames"]  # the k-means saw all of them
    assert card["deduplicated_units"] == sum(len(units) for _, units in utterances)


def test_the_size_of_batches_changes_nothing(kmeans, monkeypatch):
    assert main(arguments(kmeans, "whole")) == 0
    monkeypatch.setattr(frames_module, "BATCH_SECONDS", 1.0)
    assert main(arguments(kmeans, "small")) == 0
    folder = kmeans.parent / "units"
    assert (folder / "whole.units").read_bytes() == (folder / "small.units").read_bytes()


def test_batches_keep_the_order_and_their_padded_length_is_bounded(make_manifest, monkeypatch):
    monkeypatch.setattr(frames_module, "BATCH_SECONDS", 1.5)
    spoken = frames_module.read_spoken(make_manifest(count=9))
    batches = list(frames_module.frame_batches(spoken, MfccExtractor()))
    assert [item.spoken for batch in batches for item in batch] == spoken
    assert len(batches) > 2
    assert all(len(batch) * max(item.seconds for item in batch) <= 1.5 for batch in batches)
    again = list(frames_module.frame_batches(spoken[len(batches[0]) :], MfccExtractor()))
    assert [len(batch) for batch in again] == [len(batch) for batch in batches[1:]]


def test_an_utterance_at_fault_is_named_and_the_rest_goes_on_from_there(kmeans, capsys, monkeypatch):
    monkeypatch.setattr(frames_module, "BATCH_SECONDS", 1.0)
    assert main(arguments(kmeans, "whole")) == 0
    broken = kmeans.parent / "audio/4.wav"
    content = broken.read_bytes()
    broken.write_bytes(content[:50])
    assert main(arguments(kmeans)) == 1
    assert f"{kmeans.parent}/train.tsv:6: utterance 'u4': {broken}: " in capsys.readouterr().err
    assert files(kmeans) == [".train.units.journal", "whole.card.json", "whole.units"]
    broken.write_bytes(content)
    read = []

    def load_and_note(path: Path, *segment: float | None) -> np.ndarray:
        read.append(path.name)
        return load_audio(path, *segment)

    monkeypatch.setattr(frames_module, "load_audio", load_and_note)
    assert main(arguments(kmeans)) == 0
    assert read[0] != "0.wav" and read[-1] == "5.wav"
    assert files(kmeans) == ["train.card.json", "train.units", "whole.card.json", "whole.units"]
    assert (kmeans.parent / "units/train.units").read_bytes() == (kmeans.parent / "units/whole.units").read_bytes()


def test_frames_that_are_no_numbers_are_refused_by_name(kmeans, capsys, monkeypatch):
    def frames(self: MfccExtractor, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        return [np.full((5, 39), np.nan if len(waveform) == 0.7 * 16_000 else 0.0) for waveform in waveforms]

    monkeypatch.setattr(MfccExtractor, "frames", frames)
    assert main(arguments(kmeans)) == 1
    assert "train.tsv:5: utterance 'u3': the extractor 'mfcc' gave NaN or infinite" in capsys.readouterr().err


SLOW_STAGE = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes its background jobs ignore it
from preprocess import frames
from preprocess.__main__ import main
frames.BATCH_SECONDS = 1.0
decode = frames.load_audio
frames.load_audio = lambda *arguments: time.sleep(0.1) or decode(*arguments)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("signal_number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_killed_and_run_again_gives_the_same_bytes(kmeans, make_manifest, monkeypatch, signal_number, status):
    make_manifest(count=30, name="long.tsv")
    monkeypatch.setattr(frames_module, "BATCH_SECONDS", 1.0)
    assert main(arguments(kmeans, "whole", "long.tsv")) == 0
    command = arguments(kmeans, "killed", "long.tsv")
    process = subprocess.Popen([sys.executable, "-c", SLOW_STAGE, *command], cwd=ROOT, stderr=subprocess.DEVNULL)
    journal = kmeans.parent / "units/.killed.units.journal"
    deadline = time.time() + 60
    while time.time() < deadline and (not journal.exists() or journal.read_bytes().count(b"\n") < 4):
        time.sleep(0.02)
    process.send_signal(signal_number)
    assert process.wait(timeout=60) == status
    assert journal.exists()
    assert "killed.units" not in files(kmeans)
    assert main(command) == 0
    folder = kmeans.parent / "units"
    assert (folder / "killed.units").read_bytes() == (folder / "whole.units").read_bytes()
    assert not journal.exists()


FULL_DISK_STAGE = """
import resource, signal, sys
from preprocess import frames
from preprocess.__main__ import main
frames.BATCH_SECONDS = 1.0
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writes fail with EFBIG in place of ENOSPC
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), -1))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs resource limits")
@pytest.mark.parametrize("limit", [10, 600])
def test_a_full_disk_is_named_and_leaves_no_output(kmeans, limit: int):
    process = subprocess.run(
        [sys.executable, "-c", FULL_DISK_STAGE, str(limit), *arguments(kmeans)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert f"error: cannot write {kmeans.parent}/units/" in process.stderr
    assert "Traceback" not in process.stderr
    assert "train.units" not in files(kmeans)
    assert main(arguments(kmeans)) == 0
    assert files(kmeans) == ["train.card.json", "train.units"]


def test_a_journal_of_other_centroids_is_started_anew(kmeans):
    assert main(arguments(kmeans, "first")) == 0
    journal = kmeans.parent / "units/.train.units.journal"
    lines = ['{"kmeans": {"centroids.npz": "of another"}}', '[{"id": "u0"}]']
    journal.write_text("\n".join(lines) + "\n")
    assert main(arguments(kmeans)) == 0
    assert (kmeans.parent / "units/train.units").read_bytes() == (kmeans.parent / "units/first.units").read_bytes()


def test_an_extractor_that_is_not_the_one_of_the_kmeans_is_refused(kmeans, capsys):
    card_path = kmeans / "card.json"
    card = json.loads(card_path.read_text())
    card["extractor"]["hash"] = "0" * 64
    card_path.write_text(json.dumps(card))
    assert main(arguments(kmeans)) == 1
    assert "is not the one of the k-means: expected the hash 000000000000" in capsys.readouterr().err
    assert files(kmeans) == []


def test_a_manifest_without_audio_or_a_wrong_output_name_is_refused(kmeans, capsys):
    manifest = kmeans.parent / "train.tsv"
    lines = manifest.read_text().splitlines()
    (kmeans.parent / "text.tsv").write_text("\n".join([lines[0], lines[-1]]) + "\n")
    assert main(arguments(kmeans, manifest="text.tsv")) == 1
    assert "text.tsv: no row has audio" in capsys.readouterr().err
    assert main([*arguments(kmeans)[:-1], "units.txt"]) == 1
    assert "--out must be a file named *.units, got units.txt" in capsys.readouterr().err
