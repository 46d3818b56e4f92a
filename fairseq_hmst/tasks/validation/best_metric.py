"""The metric that chooses the best checkpoint (--best-checkpoint-metric): validations must log it, and which way."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...data.streams import MixedStreams
from .scores import ScoreGroup

if TYPE_CHECKING:
    from ...data.language_symbols import LanguageSymbolIds
    from ...models.hmst_model import HmstModel
    from ..hmst_translation import HmstTranslationTask

OF_DECODING = re.compile(r"(st_|mt_)?(bleu|chrf)(_.+)?")
HIGHER_IS_BETTER = re.compile(r"(.*_)?(bleu(?!_ratio)|chrf|accuracy)(_.+)?")
LOWER_IS_BETTER = re.compile(r"(.*_)?(loss|nll|wer)")


def check_best_metric(task: "HmstTranslationTask", model: "HmstModel") -> None:
    """Refuse a metric that validations do not log, or that keeps the worst checkpoint.

    Args:
        task: has loaded what it validates on, if anything.
        model: of the training.

    Raises:
        ValueError: a validation does not log the metric, or its best value is not its largest or smallest one.
    """
    metric = task.cfg.best_checkpoint_metric
    names_of_losses = getattr(task.criterion, "metric_names", None)  # fairseq's own criterions do not say
    is_score = OF_DECODING.fullmatch(metric)
    splits = {split: dataset for split, dataset in task.datasets.items() if not split.startswith("train")}
    for split, dataset in splits.items():
        streams = [stream.name for stream in dataset.streams]
        losses = [] if names_of_losses is None else names_of_losses(model, streams)
        groups = [] if task.validation is None else task.validation.groups
        scores = score_names(groups, dataset, task.data_bin.language_symbols)
        if metric not in (*losses, *scores) and (is_score or names_of_losses is not None):
            hint = "" if scores or not is_score else "BLEU and chrF need --eval-bleu; "
            raise ValueError(
                f"--best-checkpoint-metric {metric}: the validation on '{split}' does not log it; {hint}it logs "
                f"{', '.join([*losses, *scores])}"
            )
    is_maximised = task.cfg.maximize_best_checkpoint_metric
    if splits and HIGHER_IS_BETTER.fullmatch(metric) and not is_maximised:
        raise ValueError(
            f"--best-checkpoint-metric {metric}: more is better, but fairseq keeps the smallest; add "
            "--maximize-best-checkpoint-metric"
        )
    if splits and LOWER_IS_BETTER.fullmatch(metric) and is_maximised:
        raise ValueError(
            f"--best-checkpoint-metric {metric}: less is better, but --maximize-best-checkpoint-metric keeps the "
            "largest; leave that out"
        )


def score_names(groups: Sequence[ScoreGroup], dataset: MixedStreams, symbols: "LanguageSymbolIds") -> list[str]:
    """Names of the scores that validation logs of a dataset: of groups that have translations there."""
    names = []
    for group in groups:
        stream = next((each for each in dataset.streams if each.name == group.stream), None)
        if stream is None or stream.targets is None or len(stream.sources) == 0:
            continue
        if group.language:
            symbol = symbols.target_ids[group.language]
            if all(int(stream.targets[row][0]) != symbol for row in range(len(stream.targets))):
                continue
        names += group.score_names
    return names
