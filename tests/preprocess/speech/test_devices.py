"""Devices that are not there, and which GPU each worker has; the number of GPUs is made up."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from preprocess.__main__ import main
from preprocess.clustering import assignment, frame_sample
from preprocess.clustering.assignment import UnitsTask
from preprocess.clustering.frame_sample import SampleTask
from preprocess.speech import devices
from preprocess.speech.devices import device_of_worker, find_fault


@pytest.mark.parametrize(
    ("device", "number", "fault"),
    [
        ("cpu", 0, ""),
        ("cuda", 0, "torch finds no GPU"),
        ("cuda:0", 0, "torch finds no GPU"),
        ("cuda", 1, ""),
        ("cuda:1", 2, ""),
        ("cuda:7", 2, "torch finds 2 GPUs, counted from cuda:0"),
        ("cuda:1", 1, "torch finds 1 GPU, counted from cuda:0"),
        ("cude", 2, "torch knows no such device, but cpu, cuda and cuda:NUMBER"),
        ("cuda:x", 2, "torch knows no such device"),
        ("cuda:0,1", 2, "torch knows no such device"),
        ("", 2, "torch knows no such device"),
        ("xpu", 0, "Torch not compiled with XPU enabled"),
    ],
)
def test_a_device_that_is_not_there_is_explained_in_a_line(monkeypatch, device: str, number: int, fault: str):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: number)
    found = find_fault(device)
    assert found.startswith(fault) and bool(found) == bool(fault)
    assert "\n" not in found


@pytest.mark.parametrize("stage", ["kmeans", "units"])
def test_stages_refuse_it_before_they_read_the_manifest(stage: str, make_manifest, tmp_path, monkeypatch, capsys):
    kmeans = ["kmeans", "--manifest", str(make_manifest()), "--extractor", "mfcc", "--clusters", "8"]
    assert main([*kmeans, "--portion", "1", "--out", str(tmp_path / "kmeans")]) == 0
    capsys.readouterr()
    monkeypatch.setattr("preprocess.speech.shards.read_spans", None)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    options = {
        "kmeans": [*kmeans, "--out", str(tmp_path / "other")],
        "units": ["units", *kmeans[1:3], "--kmeans", str(tmp_path / "kmeans"), "--out", str(tmp_path / "train.units")],
    }
    assert main([*options[stage], "--device", "cuda:7"]) == 1
    message = "error: --device cuda:7: cannot be used here: torch finds 2 GPUs, counted from cuda:0\n"
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("device", "number", "found"),
    [
        ("cuda", None, "cuda"),  # alone, or of a cluster: the GPU that it sees
        ("cuda", 0, "cuda:0"),
        ("cuda", 2, "cuda:2"),
        ("cuda", 4, "cuda:1"),
        ("cuda:1", 2, "cuda:1"),
        ("cpu", 2, "cpu"),
    ],
)
def test_worker_i_has_the_gpu_i_modulo_their_number(monkeypatch, device: str, number: int | None, found: str):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(devices, "own_number", lambda: number)
    assert device_of_worker(device) == found


class Loaded(Exception):
    """Raised with the devices that something was loaded to."""


def test_the_tasks_of_both_stages_compute_there(monkeypatch):
    def load(description: object, device: str, *source: object):
        raise Loaded(device)

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(devices, "own_number", lambda: 3)
    monkeypatch.setattr(frame_sample, "load_described", load)
    with pytest.raises(Loaded, match="^cuda:1$"):
        SampleTask(None, "cuda", 1.0, 0, False)([], print)
    monkeypatch.setattr(assignment, "load_described", load)
    monkeypatch.setattr(
        assignment, "_load_kmeans", lambda folder, digest, device: (device, SimpleNamespace(extractor=0))
    )
    with pytest.raises(Loaded, match="^cuda:1$"):
        UnitsTask(Path(), "", None, "cuda", False)([], print)
    monkeypatch.setattr(assignment, "_load_kmeans", lambda folder, digest, device: load(None, device))
    with pytest.raises(Loaded, match="^cuda:1$"):
        UnitsTask(Path(), "", None, "cuda", False)([], print)
