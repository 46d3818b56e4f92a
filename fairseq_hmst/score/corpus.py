"""BLEU, chrF and lengths of one system on one test set."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sacrebleu.metrics import CHRF

from ..bleu import AUTO, BleuError, BleuScorer
from .errors import ScoreError
from .texts import References, read_hypotheses


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
