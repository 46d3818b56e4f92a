"""BLEU and chrF of systems on one test set, compared with the first by paired bootstrap."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sacrebleu.metrics import CHRF
from sacrebleu.metrics.base import Metric
from sacrebleu.significance import PairedTest, Result

from preprocess.files.options import option

from ..bleu import AUTO, BleuError, BleuScorer
from .errors import ScoreError
from .texts import References, read_hypotheses

DEFAULT_RESAMPLES, DEFAULT_SEED = 1000, 12345  # sacreBLEU's


@dataclass(frozen=True)
class BootstrapOptions:
    """Options of the paired bootstrap; None: sacreBLEU's default."""

    resamples: int | None = option(
        f"test sets drawn by the paired bootstrap; default: {DEFAULT_RESAMPLES}", None, metavar="N"
    )
    seed: int | None = option(f"of the paired bootstrap, 1 or more; default: {DEFAULT_SEED}", None)

    def __post_init__(self) -> None:
        """Check the number of resamples; the seed is checked where it is used.

        Raises:
            ScoreError: there are none.
        """
        if self.resamples is not None and self.resamples < 1:
            raise ScoreError(f"--resamples must be 1 or more, got {self.resamples}")


@dataclass(frozen=True)
class CorpusScore:
    """Scores of one system on one test set.

    Attributes:
        bleu, chrf: 0 to 100.
        bp: BLEU's brevity penalty, 0 to 1.
        length_ratio: hypothesis length over reference length, in words as BLEU counts them.
        sentences: how many were scored.
        bleu_signature, chrf_signature: sacreBLEU's own.
    """

    bleu: float
    chrf: float
    bp: float
    length_ratio: float
    sentences: int
    bleu_signature: str
    chrf_signature: str

    def as_dict(self) -> dict[str, float | int | str]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """Certainty of a score and of its difference from the first system's, by paired bootstrap.

    Attributes:
        interval: half the width of the 95 % confidence interval of the score.
        p_value: of a difference as large by chance; None for the first system, which the others are compared with.
        signature: sacreBLEU's own, with resamples and seed.
    """

    interval: float
    p_value: float | None
    signature: str


def score_corpus(
    hypotheses: Sequence[str],
    references: Sequence[str],
    tokenizer: str = AUTO,
    languages: Sequence[str] | None = None,
) -> CorpusScore:
    """Score plain, detokenised text; the sequences are parallel.

    Args:
        hypotheses, references: one sentence or more.
        tokenizer: of BLEU; auto: that of each sentence's language.
        languages: of the sentences; None: not known, and auto is 13a then.

    Raises:
        ScoreError: the tokenizer is not installed.
    """
    languages = [""] * len(references) if languages is None else languages
    scorer = BleuScorer(tokenizer)
    try:
        bleu = scorer.score(hypotheses, references, languages)
    except BleuError as error:
        raise ScoreError.of(error) from error
    chrf_metric = CHRF()
    chrf = chrf_metric.corpus_score(hypotheses, [references])
    return CorpusScore(
        bleu=bleu.score,
        chrf=chrf.score,
        bp=bleu.bp,
        length_ratio=bleu.sys_len / max(bleu.ref_len, 1),
        sentences=len(references),
        bleu_signature=scorer.signature(languages),
        chrf_signature=str(chrf_metric.get_signature()),
    )


def score_output(output: str | Path, references: str | Path | References) -> CorpusScore:
    """Score a saved fairseq-generate output, or plain text.

    Args:
        output: its file.
        references: those of a data-bin (`References.of_data_bin`) know their languages; a file does not.

    Raises:
        ScoreError: they do not fit, or cannot be read.
    """
    expected = references if isinstance(references, References) else References.read(Path(references))
    return score_corpus(read_hypotheses(Path(output), expected), expected.lines, languages=expected.language_of_lines)


def compare_systems(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[str],
    tokenizer: str = AUTO,
    options: BootstrapOptions | None = None,
    languages: Sequence[str] | None = None,
) -> dict[str, dict[str, Comparison]]:
    """Paired bootstrap (Koehn 2004) of all systems against the first, by sacreBLEU.

    Args:
        systems: name -> hypotheses, two systems or more.
        references: parallel to each system's hypotheses.
        tokenizer, languages: see `score_corpus`.
        options: of the bootstrap; None: sacreBLEU's defaults.

    Returns:
        For each system its comparison by metric, `bleu` and `chrf`.

    Raises:
        ScoreError: the seed is below 1 (sacreBLEU takes 0 for none), or the tokenizer is not installed.
    """
    options = options or BootstrapOptions()
    seed = DEFAULT_SEED if options.seed is None else options.seed
    resamples = options.resamples or DEFAULT_RESAMPLES
    if seed < 1:
        raise ScoreError(f"--seed must be 1 or more (sacreBLEU takes 0 for no seed), got {seed}")
    languages = [""] * len(references) if languages is None else languages
    scorer = BleuScorer(tokenizer)
    try:
        tokenized = {name: scorer.tokenize(texts, languages) for name, texts in systems.items()}
        tokenized_references = scorer.tokenize(references, languages)
    except BleuError as error:
        raise ScoreError.of(error) from error
    with _sacrebleu_seed(seed):
        return _by_system(
            systems,
            bleu=_compare(scorer.metric(languages), tokenized, tokenized_references, resamples),
            chrf=_compare(CHRF(), systems, references, resamples),
        )


def _by_system(systems: Iterable[str], **by_metric: list[Comparison]) -> dict[str, dict[str, Comparison]]:
    return {
        system: {metric: comparisons[number] for metric, comparisons in by_metric.items()}
        for number, system in enumerate(systems)
    }


def _compare(
    metric: Metric, systems: Mapping[str, Sequence[str]], references: Sequence[str], resamples: int
) -> list[Comparison]:
    """Comparisons of all systems with the first, in order, by one metric."""
    test = PairedTest([*systems.items()], {"metric": metric}, [references], test_type="bs", n_samples=resamples)
    signatures, results = test()
    ((name, signature),) = signatures.items()
    found = [result for result in results[name] if isinstance(result, Result)]
    comparisons = []
    for result in found:
        p_value = None if result.p_value is None else float(result.p_value)
        if p_value is not None and result.score == found[0].score:
            # sacreBLEU counts larger differences, of which equal systems have none, and says 1 / 1001
            p_value = 1.0
        comparisons.append(Comparison(float(result.ci or 0.0), p_value, str(signature)))
    return comparisons


@contextmanager
def _sacrebleu_seed(seed: int) -> Iterator[None]:
    """Give sacreBLEU its seed, which it reads from the environment alone."""
    name, before = "SACREBLEU_SEED", os.environ.get("SACREBLEU_SEED")
    os.environ[name] = str(seed)
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before
