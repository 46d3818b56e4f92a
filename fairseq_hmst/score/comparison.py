"""Certainty of the scores of systems, and of their differences from the first system's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sacrebleu.metrics import CHRF
from sacrebleu.metrics.base import Metric

from preprocess.files.program.options import option

from ..bleu import AUTO, BleuError, BleuScorer
from .errors import ScoreError
from .paired_bootstrap import paired_bootstrap_p_values
from .resampling import SentenceCounts, bootstrap_scores, interval_of, randomization_p_value

DEFAULT_RESAMPLES, DEFAULT_TRIALS, DEFAULT_SEED = 1000, 10000, 12345  # sacreBLEU's
Interval = tuple[float, float]


@dataclass(frozen=True)
class ResamplingOptions:
    """Options of intervals and tests."""

    resamples: int = option(
        "test sets drawn for intervals and for sacreBLEU's paired bootstrap", DEFAULT_RESAMPLES, metavar="N"
    )
    trials: int | None = option(
        f"exchanges of sentences between two systems, drawn for p; default: {DEFAULT_TRIALS}", None, metavar="N"
    )
    seed: int = option("of these draws, 1 or more", DEFAULT_SEED)

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ScoreError: a number is below 1.
        """
        for name, value in {"resamples": self.resamples, "trials": self.trials, "seed": self.seed}.items():
            if value is not None and value < 1:
                raise ScoreError(f"--{name} must be 1 or more, got {value}")


@dataclass(frozen=True)
class Certainty:
    """Certainty of a score, and of its difference from the first system's, over sentences like these.

    Attributes:
        interval: 95 % confidence interval of the score, by bootstrap.
        difference: of the score from the first system's; None for that, as are the next three.
        difference_interval: its 95 % confidence interval, by paired bootstrap.
        p_value: of a difference as large by chance, two-sided, by approximate randomization.
        paired_bs_p_value: sacreBLEU's own by paired bootstrap, which is too small; for comparison with others.
        signature: sacreBLEU's own, with numbers of draws and seed.
    """

    interval: Interval
    difference: float | None
    difference_interval: Interval | None
    p_value: float | None
    paired_bs_p_value: float | None
    signature: str


def compare_systems(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[str],
    tokenizer: str = AUTO,
    options: ResamplingOptions | None = None,
    languages: Sequence[str] | None = None,
) -> dict[str, dict[str, Certainty]]:
    """Confidence intervals of all systems, and tests of all but the first against it.

    Args:
        systems: name -> hypotheses, one system or more.
        references: parallel to each system's hypotheses.
        tokenizer, languages: see `score_corpus`.
        options: of the draws; None: sacreBLEU's defaults.

    Returns:
        For each system its certainty by metric, `bleu` and `chrf`.

    Raises:
        ScoreError: the tokenizer is not installed.
    """
    options = options or ResamplingOptions()
    languages = [""] * len(references) if languages is None else languages
    scorer = BleuScorer(tokenizer)
    try:
        tokenized = {name: scorer.tokenize(texts, languages) for name, texts in systems.items()}
        tokenized_references = scorer.tokenize(references, languages)
    except BleuError as error:
        raise ScoreError.of(error) from error
    by_metric = {
        "bleu": compare_by(scorer.metric(languages), tokenized, tokenized_references, options),
        "chrf": compare_by(CHRF(), systems, references, options),
    }
    return {system: {metric: found[system] for metric, found in by_metric.items()} for system in systems}


def compare_by(
    metric: Metric, systems: Mapping[str, Sequence[str]], references: Sequence[str], options: ResamplingOptions
) -> dict[str, Certainty]:
    """Certainty of each system by one metric of sacreBLEU; texts are tokenised as it wants them."""
    resamples, trials, seed = options.resamples, options.trials or DEFAULT_TRIALS, options.seed
    counts = {name: SentenceCounts.of(metric, hypotheses, references) for name, hypotheses in systems.items()}
    drawn = {name: bootstrap_scores(system, resamples, seed) for name, system in counts.items()}
    signature = metric.get_signature()
    signature.update("bs", resamples)
    signature.update("seed", seed)
    if len(systems) > 1:
        signature.update("ar", trials)
        paired_bs = paired_bootstrap_p_values(metric, systems, references, resamples, seed)
    first, *others = systems
    found = {first: Certainty(interval_of(drawn[first]), None, None, None, None, str(signature))}
    for name in others:
        found[name] = Certainty(
            interval=interval_of(drawn[name]),
            difference=counts[name].score - counts[first].score,
            difference_interval=interval_of(drawn[name] - drawn[first]),
            p_value=randomization_p_value(counts[name], counts[first], trials, seed),
            paired_bs_p_value=paired_bs[name],
            signature=str(signature),
        )
    return found
