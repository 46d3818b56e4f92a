"""Time and memory of single updates of a training, in this process; `training.py` calls it for each model.

    python examples/benchmarks/updates.py --updates 20 -- DATA --arch ARCH ...    # options of fairseq-train

Prints a line of JSON. An update is what fairseq's Trainer does with a batch (upload, forward, backward, optimizer), and
the batch's collating before it.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from fairseq import options, tasks, utils
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.trainer import Trainer
from peak_memory import peak_bytes, reset_peak
from stopwatch import timed

import fairseq_hmst.plugin  # noqa: F401  (registers the task and the models)
from fairseq_hmst.data.batch import Batch

WARM_UP = 2  # updates that are not timed


@dataclass(frozen=True)
class Updates:
    """Time and memory that updates took.

    Attributes:
        seconds: on the clock, the median.
        core_seconds: of all cores of the CPU together, the mean.
        source_tokens: of a batch, without padding, the mean.
        target_tokens: the same.
        bytes: the largest memory, of the process (resident set) or on a GPU of torch's allocator.
        parameters: of the model.
    """

    seconds: float
    core_seconds: float
    source_tokens: float
    target_tokens: float
    bytes: int
    parameters: int


def measure(command: list[str], updates: int) -> Updates:
    """Train with these options of fairseq-train.

    Raises:
        RuntimeError: the device has too little memory.
        fairseq_hmst's NotFiniteError: a loss or a gradient is NaN or infinite.
    """
    trainer = build_trainer(command)
    batches = batches_without_end(trainer)
    device = trainer.device.type
    reset_peak(device)
    for _ in range(WARM_UP):
        update(trainer, batches)
    core_start = time.process_time()
    done = [timed(lambda: update(trainer, batches), device) for _ in range(updates)]
    return Updates(
        seconds=statistics.median(seconds for _, seconds in done),
        core_seconds=(time.process_time() - core_start) / updates,
        source_tokens=statistics.mean(int(batch["net_input"]["src_lengths"].sum()) for batch, _ in done),
        target_tokens=statistics.mean(batch["ntokens"] for batch, _ in done),
        bytes=peak_bytes(device),
        parameters=sum(parameter.numel() for parameter in trainer.model.parameters()),
    )


def update(trainer: Trainer, batches: Iterator[Batch]) -> Batch:
    """Train on the next batch, which is returned."""
    batch = next(batches)
    trainer.train_step([batch], raise_oom=True)
    return batch


def build_trainer(command: list[str]) -> Trainer:
    """fairseq's Trainer, as fairseq-train makes it."""
    parser = options.get_training_parser()
    config = convert_namespace_to_omegaconf(options.parse_args_and_arch(parser, command))
    utils.set_torch_seed(config.common.seed)
    task = tasks.setup_task(config.task)
    model, criterion = task.build_model(config.model), task.build_criterion(config.criterion)
    return Trainer(config, task, model, criterion)


def batches_without_end(trainer: Trainer) -> Iterator[Batch]:
    """Batches of one epoch after another."""
    epochs = trainer.get_train_iterator(epoch=1)
    while True:
        epoch = epochs.next_epoch_itr(shuffle=True)
        trainer.begin_epoch(epochs.epoch)
        yield from epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=20, help="that are timed; default %(default)s")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    arguments = parser.parse_args(sys.argv[1:end])
    print(json.dumps(asdict(measure(sys.argv[end + 1 :], arguments.updates))))


if __name__ == "__main__":
    main()
