"""Weights of checkpoints: none that are not finite is written, and a model knows the file that its weights are from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fairseq import checkpoint_utils
from fairseq.models import BaseFairseqModel
from fairseq.tasks import FairseqTask

from preprocess.files.reading.finite import check_finite

CRASH_NAME = "crash.pt"  # of what fairseq keeps of a training that failed, to look at

_fairseq_load_models = checkpoint_utils.load_model_ensemble_and_task
_fairseq_save = checkpoint_utils.torch_persistent_save


def load_model_ensemble_and_task(
    filenames: Sequence[str], *arguments: object, **options: object
) -> tuple[list[BaseFairseqModel], object, FairseqTask]:
    """Load models, each of which knows its file by `origin`; see fairseq's function of this name."""
    models, config, task = _fairseq_load_models(filenames, *arguments, **options)
    for model, filename in zip(models, filenames, strict=True):
        model.origin = str(filename)
    return models, config, task


def torch_persistent_save(content: Mapping[str, object], filename: str, async_write: bool = False) -> None:
    """Write a checkpoint; see fairseq's function of this name.

    Raises:
        NotFiniteError: a weight is NaN or infinite; the former file stays.
    """
    weights = content.get("model")
    if isinstance(weights, Mapping) and Path(filename).name != CRASH_NAME:
        advice = "the training went wrong: go on from an earlier checkpoint with a lower --lr or with --clip-norm"
        check_finite(weights, filename, advice)
    _fairseq_save(content, filename, async_write=async_write)


checkpoint_utils.load_model_ensemble_and_task = load_model_ensemble_and_task
checkpoint_utils.torch_persistent_save = torch_persistent_save
