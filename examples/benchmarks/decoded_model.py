"""Batches and model of a decoding benchmark; the model is a checkpoint's, or has random weights."""

import argparse
import statistics
from pathlib import Path
from typing import cast

import torch
from fairseq import checkpoint_utils, utils
from fairseq.models import MODEL_DATACLASS_REGISTRY
from omegaconf import OmegaConf

import fairseq_hmst.plugin  # noqa: F401  (registers the task and the models)
from fairseq_hmst.data.batch import Batch
from fairseq_hmst.data.labels import BLANK_INDEX
from fairseq_hmst.generators.transducer.transducer_generator import TransducerGenerator
from fairseq_hmst.models.hmst_model import HmstModel
from fairseq_hmst.models.transducer import TransducerModel
from fairseq_hmst.tasks.hmst_translation import HmstTranslationConfig, HmstTranslationTask

UTTERANCES_FOR_BLANK = 8
LEAST_BLANK, MOST_BLANK = -5.0, 15.0  # added to its logit
BISECTIONS = 8


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is decoded."""
    parser.add_argument("--data", type=Path, required=True, help="data-bin")
    parser.add_argument("--subset", default="test", help="split to decode; default %(default)s")
    parser.add_argument("--stream", default="st", choices=["st", "mt"], help="stream to decode; default %(default)s")
    parser.add_argument("--max-utterances", type=int, help="decode this many of the shortest alone; default: all")
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--checkpoint", type=Path, help="a checkpoint that was trained on the data-bin's vocabularies")
    model.add_argument("--random", metavar="ARCH", help="instead, a model of this architecture with random weights")


def load(arguments: argparse.Namespace, decoding: str, **options: object) -> tuple[HmstTranslationTask, HmstModel]:
    """A task that decodes so, the subset loaded, and the model, on the device.

    Of a transducer with random weights the blank is made so likely that outputs are about as long as the references.

    Raises:
        SystemExit: the model has no head for the decoding.
    """
    options |= {"data": str(arguments.data), "decoding": decoding, "eval_stream": arguments.stream}
    config = OmegaConf.merge(OmegaConf.structured(HmstTranslationConfig), options)
    task = HmstTranslationTask(cast(HmstTranslationConfig, config))
    task.load_dataset(arguments.subset, task_cfg=task.cfg)
    if arguments.checkpoint:
        (model,), _ = checkpoint_utils.load_model_ensemble([str(arguments.checkpoint)], task=task)
    else:
        torch.manual_seed(0)
        sizes = OmegaConf.structured(MODEL_DATACLASS_REGISTRY[arguments.random])
        model = task.build_model(OmegaConf.merge(sizes, {"_name": arguments.random}))
    if decoding not in model.decodings:
        raise SystemExit(f"the model cannot decode by {decoding}; it can by: {', '.join(model.decodings)}")
    model.to(arguments.device).eval()
    if arguments.random and isinstance(model, TransducerModel):
        (batch,) = make_batches(task, arguments, UTTERANCES_FOR_BLANK)[:1]
        fit_blank(model, TransducerGenerator(task.target_dictionary), batch)
    return task, model


def make_batches(task: HmstTranslationTask, arguments: argparse.Namespace, size: int) -> list[Batch]:
    """Batches of utterances of similar length on the device, as fairseq-generate makes them."""
    dataset = task.dataset(arguments.subset)
    rows = dataset.ordered_indices()[: arguments.max_utterances].tolist()
    batches = [
        dataset.collater([dataset[row] for row in rows[first : first + size]]) for first in range(0, len(rows), size)
    ]
    return [utils.apply_to_sample(lambda part: part.to(arguments.device), batch) for batch in batches]


def fit_blank(model: TransducerModel, generator: TransducerGenerator, batch: Batch) -> None:
    """Set the bias of the blank so that greedy outputs are as long as the references.

    Mean lengths are compared, and the bias is found by bisection.
    """
    wanted = float(batch["label_lengths"].float().mean())
    least, most = LEAST_BLANK, MOST_BLANK
    for _ in range(BISECTIONS):
        middle = (least + most) / 2
        with torch.no_grad():
            model.joiner.output.bias[BLANK_INDEX] = middle
        found = statistics.mean(len(best["tokens"]) - 1 for best, *_ in generator.generate([model], batch))
        least, most = (middle, most) if found > wanted else (least, middle)
