import json
from pathlib import Path

import numpy as np
import pytest
from cards import edit_card, read_card

from preprocess.__main__ import main
from preprocess.clustering import utterance_sample
from preprocess.clustering.centroids import load_kmeans, save_kmeans
from preprocess.errors import MismatchError, NotFiniteError, PreprocessError
from preprocess.files.hashing import hash_file
from preprocess.speech import frames as frames_module
from preprocess.speech.audio import load_sound


def stage(manifest: Path, out: Path, *options: object, clusters: int = 8, portion: float = 0.5) -> int:
    arguments = ["kmeans", "--manifest", manifest, "--extractor", "mfcc", "--clusters", clusters, "--portion", portion]
    return main([str(argument) for argument in [*arguments, "--out", out, *options]])


def test_the_stage_repeats_to_the_byte_and_another_seed_differs(make_manifest, tmp_path):
    manifest = make_manifest()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert stage(manifest, tmp_path / name, "--seed", seed) == 0
    first, again, other = (hash_file(tmp_path / name / "centroids.npz") for name in "abc")
    assert first == again != other


def test_the_stage_writes_centroids_and_a_card_that_load(make_manifest, tmp_path):
    assert stage(make_manifest(), tmp_path / "kmeans", portion=1) == 0
    centroids, _ = load_kmeans(tmp_path / "kmeans")
    card = read_card(tmp_path / "kmeans", "kmeans")
    assert centroids.shape == (8, 39)
    assert card["frames"] == sum((round(16_000 * (0.4 + 0.1 * (index % 4))) - 400) // 320 + 1 for index in range(6))
    assert {key: card[key] for key in ("stage", "clusters", "seed", "portion")} == {
        "stage": "kmeans",
        "clusters": 8,
        "seed": 0,
        "portion": 1,
    }
    assert {key: card["extractor"][key] for key in ("name", "layer", "frame_shift_seconds", "width")} == {
        "name": "mfcc",
        "layer": 0,
        "frame_shift_seconds": 0.02,
        "width": 39,
    }
    assert sorted(path.name for path in (tmp_path / "kmeans").iterdir()) == ["card.json", "centroids.npz"]


def test_of_a_large_corpus_only_drawn_utterances_are_encoded_and_the_card_says_so(make_manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(utterance_sample, "MIN_UTTERANCES", 4)
    monkeypatch.setattr(utterance_sample, "MIN_FRAMES", 10)
    manifest, read = make_manifest(count=8), []
    monkeypatch.setattr(frames_module, "load_sound", lambda *segment: read.append(segment) or load_sound(*segment))
    assert stage(manifest, tmp_path / "kmeans") == 0
    assert len(read) == 4
    card = read_card(tmp_path / "kmeans", "kmeans")
    assert card["sample"] == {"drawn": "utterances", "utterances": 4, "of_utterances": 8, "of_frames": card["frames"]}
    assert stage(manifest, tmp_path / "two", "--workers", 2) == 0
    assert hash_file(tmp_path / "two/centroids.npz") == hash_file(tmp_path / "kmeans/centroids.npz")


def test_a_card_from_before_the_sample_was_told_can_be_read(make_manifest, tmp_path):
    assert stage(make_manifest(), tmp_path / "kmeans") == 0
    edit_card(tmp_path / "kmeans/card.json", sample=...)
    assert load_kmeans(tmp_path / "kmeans")[1].sample is None


def test_centroids_that_are_not_finite_are_neither_read_nor_written(make_manifest, tmp_path):
    assert stage(make_manifest(), tmp_path / "kmeans") == 0
    path = tmp_path / "kmeans" / "centroids.npz"
    centroids, card = load_kmeans(tmp_path / "kmeans")
    centroids[5, 2] = np.nan
    np.savez(path, centroids=centroids)
    edit_card(tmp_path / "kmeans/card.json", remeasure=True)
    message = "centroids holds NaN or infinite values in row 5 of 8"
    with pytest.raises(NotFiniteError, match=f"centroids.npz: {message}; fit the k-means again"):
        load_kmeans(tmp_path / "kmeans")
    with pytest.raises(NotFiniteError, match=f"new: {message}"):
        save_kmeans(tmp_path / "new", centroids, card)
    assert not (tmp_path / "new").exists()


def test_max_frames_cuts_the_sample_and_says_so(make_manifest, tmp_path, caplog):
    assert stage(make_manifest(), tmp_path / "kmeans", "--max-frames", 20, portion=1) == 0
    assert json.loads((tmp_path / "kmeans/card.json").read_text())["frames"] == 20
    assert "cut to 20 frames by --max-frames" in caplog.text


def test_too_few_frames_leave_no_output(make_manifest, tmp_path, capsys):
    assert stage(make_manifest(count=1), tmp_path / "kmeans", clusters=500) == 1
    assert "expected 500 or more, found" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if "kmeans" in path.name] == [".kmeans.work"]  # of frames


def test_a_full_disk_is_named_and_leaves_the_earlier_output(make_manifest, tmp_path, capsys, monkeypatch):
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    manifest = make_manifest()
    assert stage(manifest, tmp_path / "kmeans") == 0
    monkeypatch.setattr("preprocess.files.cards.card.Card.write", fail)
    for name in ("kmeans", "new"):
        assert stage(manifest, tmp_path / name, clusters=9) == 1
        assert f"error: cannot write {tmp_path}/{name}: No space left on device" in capsys.readouterr().err
    assert load_kmeans(tmp_path / "kmeans")[1].clusters == 8
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == ["audio", "kmeans", "train.tsv"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--clusters", 0], "--clusters must lie in 1..65534, got 0"),
        (["--clusters", 70_000], "--clusters must lie in 1..65534, got 70000"),
        (["--portion", 0], "--portion must lie above 0 and be at most 1, got 0"),
        (["--portion", 1.5], "--portion must lie above 0 and be at most 1, got 1.5"),
        (["--max-frames", 7], "--max-frames must be at least --clusters, got 7"),
        (["--seed", -1], "--seed must lie in 0..4294967295, got -1"),
        (["--layer", 3], "'mfcc' has no layers; leave out --layer"),
        (["--manifest", "none.tsv"], "none.tsv: cannot be read"),
    ],
)
def test_bad_options_are_refused(make_manifest, tmp_path, capsys, options: list, message: str):
    assert stage(make_manifest(count=1), tmp_path / "kmeans", *options) == 1
    assert message in capsys.readouterr().err


def test_bad_audio_is_refused_with_manifest_line_and_id(make_manifest, tmp_path, capsys):
    manifest = make_manifest()
    (tmp_path / "audio/2.wav").write_bytes(b"no sound")
    assert stage(manifest, tmp_path / "kmeans") == 1
    assert f"{manifest}:4: utterance 'u2': {tmp_path}/audio/2.wav: not audio" in capsys.readouterr().err
    assert not (tmp_path / "kmeans").exists()


def test_changed_centroids_and_other_cards_are_refused(make_manifest, tmp_path):
    stage(make_manifest(), tmp_path / "kmeans")
    path, card_path = tmp_path / "kmeans/centroids.npz", tmp_path / "kmeans/card.json"
    edit_card(card_path, clusters=9)
    with pytest.raises(MismatchError, match=r"expected centroids of the shape \(9, 39\), found \(8, 39\); make the"):
        load_kmeans(tmp_path / "kmeans")
    np.savez(path, centroids=np.zeros((8, 39), dtype=np.float32))
    with pytest.raises(MismatchError, match="has changed since it was made"):
        load_kmeans(tmp_path / "kmeans")
    with pytest.raises(PreprocessError, match="is not a finished output of the stage 'kmeans'"):
        load_kmeans(tmp_path)


def test_a_pickle_in_place_of_centroids_is_not_opened(make_manifest, tmp_path):
    stage(make_manifest(), tmp_path / "kmeans")
    path, card_path = tmp_path / "kmeans/centroids.npz", tmp_path / "kmeans/card.json"
    np.savez(path, centroids=np.full((8, 39), {"a": "pickle"}, dtype=object))
    edit_card(card_path, remeasure=True)
    with pytest.raises(MismatchError, match="Object arrays cannot be loaded when allow_pickle=False"):
        load_kmeans(tmp_path / "kmeans")
