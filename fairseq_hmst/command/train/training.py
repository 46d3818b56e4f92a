"""A training from its command line to its result."""

import os
import shlex
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from ...training.training_events import TrainingStart
from .checkpoints import kept_best
from .child import started
from .failure import TAIL_LINES, explain_failure
from .fairseq_options import (
    FairseqOptions,
    TrainingError,
    fairseq_train_options,
    process_command,
    read_fairseq_options,
    shown_command,
)
from .log_lines import read_line
from .progress import TrainingProgress
from .result import TrainingResult
from .screens import Screen


def run_training(options: Sequence[str], screen: Screen) -> TrainingResult:
    """Run fairseq-train in a process of its own, and show what it does.

    Interruptions (SIGINT, SIGTERM) end that process; its exit status is in the result.

    Args:
        options: of fairseq-train; user-dir, task and criterion may be left out.
        screen: where to show it.

    Raises:
        TrainingError: an option needs what is not installed.
    """
    known = read_fairseq_options(options)
    known.check_extras()
    if not Path(options[0].split(os.pathsep)[0]).is_dir():
        raise TrainingError(f"expected the folder of a data-bin first, found {options[0]}")
    known.save_dir.mkdir(parents=True, exist_ok=True)
    progress = TrainingProgress(known)
    train_options = fairseq_train_options(options)
    screen.command(shown_command(train_options), str(known.log))
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    data_bin = options[0]
    with screen.running(), started(process_command(train_options), known.log) as child:
        for line in child.lines():
            tail.append(line)
            event = read_line(line)
            if event is not None:
                progress.follow(event)
                screen.event(event, progress)
            if isinstance(event, TrainingStart):
                data_bin = event.data_bin
        exit_status = child.exit_status()
    message = progress.finished
    if exit_status != 0 and child.was_signalled:
        message = (
            f"interrupted after {progress.num_updates:,} updates; the same command goes on from the last checkpoint"
        )
    elif exit_status != 0:
        message = f"error: {explain_failure(tail, exit_status)}\nfull log: {known.log}"
    best = progress.best
    result = TrainingResult(
        exit_status=exit_status,
        num_updates=progress.num_updates,
        log=known.log,
        best_checkpoint=best.path if best else None,
        best_scores=best.validation.values if best else {},
        message=message,
        next_commands=_next_commands(known, progress, data_bin) if exit_status == 0 else (),
    )
    screen.end(result, progress)
    return result


def _next_commands(options: FairseqOptions, progress: TrainingProgress, data_bin: str) -> tuple[str, ...]:
    best = progress.best
    if best is None:
        return ()
    data, model = ["--data", data_bin.split(":")[0]], ["--model", str(best.path)]
    commands = [["hmst", "generate", *data, *model, "--out", str(options.save_dir / "results")]]
    kept = [str(path) for path in kept_best(options.save_dir, options.best_checkpoint_metric)]
    if options.keep_best_checkpoints > 1 and len(kept) > 1:
        average = str(options.save_dir / "average.pt")
        commands.insert(0, ["hmst", "average", "--model", *kept, "--out", average])
        model[1] = commands[1][5] = average
    commands.append(["hmst", "export", *data, *model, "--out", str(options.save_dir / "model")])
    return tuple(map(shlex.join, commands))
