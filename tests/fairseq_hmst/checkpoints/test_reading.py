"""Checkpoints as files: which are whole, which is the newest, what two must have in common."""

import shutil
from pathlib import Path

import pytest
import torch
from prompt_models import random_checkpoint

from fairseq_hmst.average import average_checkpoints
from fairseq_hmst.checkpoints.identity import differing_options
from fairseq_hmst.checkpoints.reading import CheckpointError, check_whole, newest_whole, read_checkpoint


@pytest.fixture(scope="module")
def checkpoint(toy_data_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    return random_checkpoint(tmp_path_factory.mktemp("one") / "checkpoint_best.pt", toy_data_bin, "hmst_aed")


def change(source: Path, out: Path, **parts: object) -> Path:
    """A checkpoint with other parts."""
    torch.save(torch.load(source, weights_only=True) | parts, out)
    return out


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


CUT = "it is empty, its end is missing, or it is no file of torch"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: b"", CUT),
        (lambda content: b"text", CUT),
        (lambda content: content[:1000], CUT),
        (lambda content: content[:-1], CUT),
        (flipped, "was damaged after it was written, in .*data/"),
        (lambda content: content[:-500] + bytes(500), CUT),
    ],
    ids=["empty", "text", "begin", "without its end", "one bit", "zeros"],
)
def test_a_damaged_checkpoint_is_not_whole(checkpoint: Path, tmp_path: Path, damage, reason: str):
    check_whole(checkpoint)
    broken = tmp_path / "checkpoint_last.pt"
    broken.write_bytes(damage(checkpoint.read_bytes()))
    with pytest.raises(CheckpointError, match=f"checkpoint_last.pt: cannot be read as a checkpoint .*: {reason}"):
        read_checkpoint(broken)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path):
    for content in ([1, 2], {"model": 3}, {"weights": {}}):
        torch.save(content, tmp_path / "other.pt")
        with pytest.raises(CheckpointError, match="it holds no weights of a model"):
            read_checkpoint(tmp_path / "other.pt")


def test_the_newest_whole_checkpoint_is_that_with_the_most_updates(checkpoint: Path, tmp_path: Path):
    assert newest_whole(tmp_path) is None
    for name, updates in (("checkpoint1.pt", 30), ("checkpoint_best.pt", 10), ("checkpoint2.pt", 20)):
        change(checkpoint, tmp_path / name, optimizer_history=[{"num_updates": updates}])
    assert newest_whole(tmp_path) == tmp_path / "checkpoint1.pt"
    (tmp_path / "checkpoint1.pt").write_bytes(flipped((tmp_path / "checkpoint1.pt").read_bytes()))
    (tmp_path / "checkpoint_last.pt").touch()
    assert newest_whole(tmp_path) == tmp_path / "checkpoint2.pt"


def test_checkpoints_of_other_data_or_another_model_are_not_averaged(checkpoint: Path, tmp_path: Path):
    content = torch.load(checkpoint, weights_only=True)
    shutil.copy(checkpoint, tmp_path / "same.pt")
    average = average_checkpoints([checkpoint, tmp_path / "same.pt"])["model"]
    assert all(torch.equal(average[name], values) for name, values in content["model"].items())
    for name in ("dict.tgt.txt", "subwords/target.model"):
        state = content["task_state"] | {"data_fingerprint": content["task_state"]["data_fingerprint"] | {name: "0"}}
        other = change(checkpoint, tmp_path / "other.pt", task_state=state)
        with pytest.raises(CheckpointError, match=f"were trained on different data-bins: their {name} differ"):
            average_checkpoints([checkpoint, other])
    cfg = content["cfg"] | {"model": content["cfg"]["model"] | {"attention_heads": 4}}
    other = change(checkpoint, tmp_path / "other.pt", cfg=cfg)
    with pytest.raises(CheckpointError, match="are different models: --attention-heads 4 and 2"):
        average_checkpoints([checkpoint, other])


@pytest.mark.parametrize(
    ("options", "others", "differing"),
    [
        ({"_name": "hmst_aed_tiny"}, {"_name": "hmst_aed"}, ""),
        ({"_name": "hmst_aed_tiny"}, {"_name": "hmst_ctc"}, "--arch hmst_aed and hmst_ctc"),
        ({"dropout": 0.1, "init_from": "a"}, {"dropout": 0.3, "init_from": None}, ""),
        ({"source_ctc_layer": 1}, {"source_ctc_layer": 2}, "--source-ctc-layer 1 and 2"),
        ({"source_ctc_layer": 1}, {}, ""),
        ({"attention_heads": 4, "decoder_attention_heads": None}, {"decoder_attention_heads": 4}, ""),
        (
            {"attention_heads": 4, "decoder_attention_heads": None},
            {"attention_heads": 4, "decoder_attention_heads": 2},
            "--decoder-attention-heads 4 and 2",
        ),
        (
            {"encoder_type": "transformer", "activation_fn": None},
            {"encoder_type": "transformer", "activation_fn": "relu"},
            "",
        ),
        (
            {"encoder_type": "transformer", "activation_fn": None},
            {"encoder_type": "transformer", "activation_fn": "gelu"},
            "--activation-fn relu and gelu",
        ),
    ],
)
def test_options_are_compared_that_change_what_weights_compute(options, others, differing):
    import fairseq_hmst.plugin  # noqa: F401  (registers the families)

    assert differing_options(options, others) == differing
