"""BLEU and chrF during training: sufficient statistics of a batch, summed over batches and processes."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from fairseq.logging import metrics
from fairseq.logging.meters import MetersDict
from sacrebleu.metrics import CHRF
from sacrebleu.metrics.bleu import MAX_NGRAM_ORDER, BLEUScore

from ...bleu import BleuScorer, score_of_statistics

NUM_CHRF_STATISTICS = 3 * CHRF.CHAR_ORDER  # n-grams of the hypothesis, of the reference, and those that match


class ScoredText(NamedTuple):
    """One translation of a validation, with what it should be.

    Attributes:
        stream: its source: `st` or `mt`.
        language: its target language.
        hypothesis, reference: detokenised.
    """

    stream: str
    language: str
    hypothesis: str
    reference: str


class ScoreGroup(NamedTuple):
    """Translations that have scores of their own: those of a stream, or of them one target language.

    Attributes:
        prefix: in front of the names of scores: "", or `mt_`.
        stream: `st` or `mt`.
        language: "": all.
    """

    prefix: str
    stream: str
    language: str = ""

    def named(self, score: str) -> str:
        """Name of a score, such as `mt_bleu` or `bleu_de`."""
        return f"{self.prefix}{score}_{self.language}".rstrip("_")

    def __contains__(self, text: object) -> bool:
        return isinstance(text, ScoredText) and text.stream == self.stream and self.language in ("", text.language)

    @property
    def count_name(self) -> str:
        """Name of the number of translations."""
        return f"_{self.named('sentences')}"

    @property
    def bleu_names(self) -> list[str]:
        """Names of the statistics of BLEU; fairseq leaves those that start with an underscore out of the log line."""
        name = self.named("bleu")
        ngrams = (f"_{name}_{kind}_{n}" for kind in ("counts", "totals") for n in range(1, MAX_NGRAM_ORDER + 1))
        return [f"_{name}_sys_len", f"_{name}_ref_len", *ngrams]

    @property
    def score_names(self) -> list[str]:
        """Names of its scores; of a single language BLEU alone."""
        return [
            self.named(score) for score in (("bleu",) if self.language else ("bleu", "bleu_bp", "bleu_ratio", "chrf"))
        ]

    @property
    def chrf_names(self) -> list[str]:
        """Names of the statistics of chrF; none of a single language."""
        return [] if self.language else [f"_{self.named('chrf')}_{n}" for n in range(NUM_CHRF_STATISTICS)]


def score_groups(streams: Sequence[str], eval_stream: str, languages: Sequence[str]) -> list[ScoreGroup]:
    """Groups of translations that are scored by themselves, those of the stream that is decoded first.

    Args:
        streams: those that are validated.
        eval_stream: that of --eval-stream: its scores have no prefix.
        languages: all target languages; with several each has scores besides those of all.
    """
    parts = ["", *languages] if len(languages) > 1 else [""]
    return [
        ScoreGroup("" if stream == eval_stream else f"{stream}_", stream, language)
        for stream in sorted(streams, key=lambda name: name != eval_stream)
        for language in parts
    ]


def score_statistics(texts: Sequence[ScoredText], groups: Sequence[ScoreGroup], scorer: BleuScorer) -> dict[str, float]:
    """Lengths and counts of n-grams, as flat numbers that fairseq sums over processes; `texts` may be empty."""
    statistics: dict[str, float] = {}
    for group in groups:
        chosen = [text for text in texts if text in group]
        hypotheses = [text.hypothesis for text in chosen]
        references = [text.reference for text in chosen]
        statistics[group.count_name] = len(chosen)
        bleu = scorer.statistics(hypotheses, references, [text.language for text in chosen])
        statistics |= dict(zip(group.bleu_names, bleu, strict=True))
        if group.chrf_names:
            statistics |= dict(zip(group.chrf_names, _chrf_statistics(hypotheses, references), strict=True))
    return statistics


def log_scores(logging_outputs: Sequence[dict[str, float]], groups: Sequence[ScoreGroup]) -> None:
    """Log scores of each group that has translations, where its statistics are in the logging outputs.

    `bleu` with `bleu_bp` (brevity penalty), `bleu_ratio` (hypothesis length / reference length) and `chrf`; the same
    with a prefix, such as `mt_bleu`, of the stream that --eval-stream does not name; BLEU alone of one language of
    several, such as `bleu_de`.
    """
    if not logging_outputs or groups[0].bleu_names[0] not in logging_outputs[0]:
        return
    for group in groups:
        if sum(log[group.count_name] for log in logging_outputs) == 0:
            continue
        for name in (*group.bleu_names, *group.chrf_names):
            metrics.log_scalar_sum(name, float(sum(log[name] for log in logging_outputs)))
        for name, value in _derived_scores(group):
            metrics.log_derived(name, value)


def _derived_scores(group: ScoreGroup) -> Iterator[tuple[str, Callable[[MetersDict], float]]]:
    yield group.named("bleu"), _from_bleu(group, lambda score: round(score.score, 2))
    if not group.language:
        yield group.named("bleu_bp"), _from_bleu(group, lambda score: round(score.bp, 3))
        yield (
            group.named("bleu_ratio"),
            _from_bleu(group, lambda score: round(score.sys_len / max(score.ref_len, 1), 3)),
        )
        yield group.named("chrf"), _chrf_of(group)


def _from_bleu(group: ScoreGroup, value: Callable[[BLEUScore], float]) -> Callable[[MetersDict], float]:
    def compute(meters: MetersDict) -> float:
        return value(score_of_statistics([meters[name].sum for name in group.bleu_names]))

    return compute


def _chrf_of(group: ScoreGroup) -> Callable[[MetersDict], float]:
    def compute(meters: MetersDict) -> float:
        sums = [int(meters[name].sum) for name in group.chrf_names]
        return round(CHRF()._compute_score_from_stats(sums).score, 2)

    return compute


def _chrf_statistics(hypotheses: list[str], references: list[str]) -> list[float]:
    if not hypotheses:
        return [0] * NUM_CHRF_STATISTICS
    by_sentence = CHRF()._extract_corpus_statistics(hypotheses, [references])
    return [sum(column) for column in zip(*by_sentence, strict=True)]
