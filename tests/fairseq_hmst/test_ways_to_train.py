"""Every way to start a training, fresh, resumed and fine-tuned, by one process and by two."""

from pathlib import Path

import pytest
import torch
from forked_trainings import ForkedTrainings
from toy import REPOSITORY
from training import PACKAGE, training_command

# Starts by way and number of processes, each after those before it. Once its processes run, a training is the same code
# whatever started it, so that not every start is made in every way.
STARTS = {
    ("fairseq-train", 1): ("fresh", "resumed", "fine-tuned"),
    ("fairseq-train", 2): ("fresh", "resumed", "fine-tuned"),
    ("fairseq-hydra-train", 1): ("fresh", "resumed", "fine-tuned"),
    ("fairseq-hydra-train", 2): ("fresh",),
    ("hmst train", 1): ("fresh",),
    ("hmst train", 2): ("fresh", "resumed"),
    ("torchrun fairseq-train", 1): ("fresh",),
    ("torchrun fairseq-train", 2): ("fresh", "resumed"),
    ("torchrun fairseq-hydra-train", 1): ("fresh",),
    ("torchrun fairseq-hydra-train", 2): ("fresh", "resumed", "fine-tuned"),
}
HYDRA = ["fairseq-hydra-train", "--config-dir", str(REPOSITORY / "examples" / "prompts"), "--config-name", "training"]


def small(way: str, data_bin: Path, save_dir: Path, processes: int, updates: int, start: Path | None) -> list[str]:
    """The command of a small training, without torchrun."""
    if way.endswith("hydra-train"):
        options = f"common.user_dir={PACKAGE} task.data={data_bin} checkpoint.save_dir={save_dir} common.log_interval=1"
        options += " dataset.max_tokens=400 dataset.disable_validation=true task.eval_bleu=false +model.embed_dim=16"
        options += f" +model.ffn_embed_dim=16 +model.encoder_layers=1 +model.decoder_layers=1 hydra.run.dir={save_dir}"
        options += f" distributed_training.distributed_world_size={processes} optimization.max_update={updates}"
        return [*HYDRA, *options.split(), *([f"checkpoint.finetune_from_model={start}"] if start else [])]
    options = f"--max-update {updates} --max-tokens 400 --distributed-world-size {processes} --disable-validation"
    options += " --embed-dim 16 --ffn-embed-dim 16 --encoder-layers 1 --no-epoch-checkpoints"
    options += f" --finetune-from-model {start}" if start else ""
    command = training_command(data_bin, save_dir, *options.split())
    if way == "hmst train":
        from fairseq_hmst.command.train.fairseq_options import fairseq_train_options, process_command

        return process_command(fairseq_train_options(command[1:]))
    return command


def num_updates(checkpoint: Path) -> int:
    return torch.load(checkpoint, weights_only=False)["optimizer_history"][-1]["num_updates"]


@pytest.mark.parametrize(("way", "processes"), STARTS)
def test_a_training_is_started_resumed_and_fine_tuned(
    trainings: ForkedTrainings, toy_data_bin: Path, tmp_path: Path, way: str, processes: int
):
    first, second = tmp_path / "first", tmp_path / "second"
    last = first / "checkpoint_last.pt"
    cases = {
        "fresh": (first, 1, None, "No existing checkpoint found"),
        "resumed": (first, 2, None, f"Loaded checkpoint {last} (epoch 1 @ 1 updates)"),
        "fine-tuned": (second, 1, last, "loading pretrained model from"),
    }
    for name in STARTS[way, processes]:
        folder, updates, start, loaded = cases[name]
        log = tmp_path / f"{name}.log"
        command = small(way, toy_data_bin, folder, processes, updates, start)
        status = trainings.run(command, log, torchrun=processes if way.startswith("torchrun") else 0)
        said = log.read_text(encoding="utf-8", errors="replace")
        assert status == 0, said[-3000:]
        assert loaded in said
        assert f"training on {processes} devices" in said
        assert said.count("Saved checkpoint") == 1  # one model, by however many processes
        assert num_updates(folder / "checkpoint_last.pt") == updates


def test_torchrun_without_the_number_of_processes_is_an_error_and_not_two_models(
    trainings: ForkedTrainings, toy_data_bin: Path, tmp_path: Path
):
    command = small("torchrun fairseq-hydra-train", toy_data_bin, tmp_path, 1, 1, None)
    assert trainings.run(command, tmp_path / "log", torchrun=2) != 0
    assert "torchrun started 2 processes, but --distributed-world-size is 1" in (tmp_path / "log").read_text()
    assert not list(tmp_path.glob("*.pt"))
