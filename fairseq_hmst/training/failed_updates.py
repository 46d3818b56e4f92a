"""The explanation of an update that fairseq gives up: NaN in a loss or in gradients, or a loss scale at its minimum.

fairseq's own search for the first NaN, by hooks, fails with `StopIteration` on the backward pass of modules whose
output is a dictionary, such as encoders; here it looks at the forward pass alone. It logs what it finds.
"""

import functools
import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import fairseq.trainer
import torch
from fairseq.nan_detector import NanDetector
from fairseq.trainer import Trainer

from preprocess.errors import NotFiniteError
from preprocess.files.reading.finite import check_finite

from .. import compat  # noqa: F401
from ..data.batch import Batch
from ..data.example_names import example_names, list_names
from ..data.stream_rows import STREAM_NAMES

logger = logging.getLogger(__name__)

INCONSISTENT = "gradients are inconsistent between workers"  # fairseq's words, also where they are NaN
SCALE_AT_MINIMUM = "Minimum loss scale reached"

_fairseq_train_step = Trainer.train_step


@dataclass
class UpdateReport:
    """The part of one process in an update that failed.

    Attributes:
        weights: which are NaN or infinite already; "" if none is.
        bad_streams: streams whose loss is.
        bad_examples: names of the examples of batches with such a loss, by split and stream.
        examples: names of all examples.
    """

    weights: str = ""
    bad_streams: list[str] = field(default_factory=list)
    bad_examples: dict[str, list[str]] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)


def train_step(trainer: Trainer, samples: Sequence[Batch], raise_oom: bool = False) -> dict[str, float] | None:
    """One update, in place of fairseq's `Trainer.train_step`.

    Raises:
        NotFiniteError: a loss or gradients are NaN or infinite, or the loss scale has reached its minimum.
    """
    try:
        logged: dict[str, float] | None = _fairseq_train_step(trainer, samples, raise_oom=raise_oom)
    except FloatingPointError as error:
        if INCONSISTENT in str(error) and not re.search(r"= +-?(nan|inf)", str(error)):
            raise
        raise _explained(trainer, samples, trainer.get_num_updates() + 1, str(error)) from error
    if logged is not None and not math.isfinite(logged.get("loss", 0.0)):  # though the gradients were finite
        raise _explained(trainer, samples, trainer.get_num_updates(), "")
    return logged


def _explained(trainer: Trainer, samples: Sequence[Batch], update: int, fairseq_error: str) -> NotFiniteError:
    own = report_update(trainer, samples)
    logger.info(f"examples of update {update}: {list_names(own.examples, limit=None)}")
    reports = [own] * trainer.data_parallel_world_size
    if len(reports) > 1:  # gradients are NaN in all processes, and so all are here
        torch.distributed.all_gather_object(reports, own, group=trainer.data_parallel_process_group)
    common = trainer.cfg.common
    return explain(reports, fairseq_error, common.fp16 or common.amp).at(f"update {update}")


def report_update(trainer: Trainer, samples: Sequence[Batch]) -> UpdateReport:
    """Compute the losses of an update's batches again, to see where they are not finite."""
    report = UpdateReport()
    try:
        check_finite(dict(trainer.get_model().named_parameters()))
    except NotFiniteError as error:
        report.weights = error.found
    for sample in samples:
        prepared, is_dummy = trainer._prepare_sample(sample)
        if is_dummy:
            continue
        with torch.no_grad():
            loss, _, logged = trainer.get_criterion()(trainer.get_model(), prepared)
        names = example_names(prepared)
        _add_names(report.examples, names)
        if not torch.isfinite(loss):
            bad = [stream for stream in STREAM_NAMES if not math.isfinite(float(logged.get(f"{stream}_loss", 0.0)))]
            report.bad_streams += [stream for stream in bad if stream not in report.bad_streams]
            of_bad = {key: found for key, found in names.items() if key.rpartition(".")[2] in bad}
            _add_names(report.bad_examples, of_bad or names)
    return report


def explain(reports: Sequence[UpdateReport], fairseq_error: str, is_half: bool) -> NotFiniteError:
    """The error that says what was not finite, and for which examples.

    Args:
        reports: of all processes.
        fairseq_error: message of fairseq.
        is_half: whether the training computes in float16.
    """
    options = "a lower --lr, a longer --warmup-updates, --clip-norm 1"
    advice = f"try {options}" + (", and --bf16 in place of --fp16 or --amp" if is_half else "")
    weights = next((report.weights for report in reports if report.weights), "")
    if weights:
        return NotFiniteError(f"the model has lost its weights before: {weights}", advice=f"start again: {advice}")
    bad_streams = dict.fromkeys(stream for report in reports for stream in report.bad_streams)
    bad_examples: dict[str, list[str]] = {}
    examples: dict[str, list[str]] = {}
    for report in reports:
        _add_names(bad_examples, report.bad_examples)
        _add_names(examples, report.examples)
    if bad_examples or bad_streams:
        found = f"the loss{' of ' + ' and '.join(bad_streams) if bad_streams else ''} is NaN or infinite"
    elif SCALE_AT_MINIMUM in fairseq_error:
        found = "the loss scale of float16 has reached its minimum, as gradients overflowed in one update after another"
    else:
        found = "gradients are NaN or infinite, though the loss is not"
    listed = list_names(bad_examples or examples)
    return NotFiniteError(f"{found}; the batch has {listed or 'no examples of a data-bin'}", advice=advice)


def _add_names(names: dict[str, list[str]], more: dict[str, list[str]]) -> None:
    for stream, found in more.items():
        names.setdefault(stream, []).extend(found)


fairseq.trainer.NanDetector = functools.partial(NanDetector, backward=False)
Trainer.train_step = train_step
