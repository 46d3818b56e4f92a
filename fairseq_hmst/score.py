"""Corpus scores of fairseq-generate's output against plain references: BLEU, chrF, brevity penalty, length ratio."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from sacrebleu.metrics import BLEU, CHRF

_HYPOTHESIS_LINE = re.compile(r"D-(\d+)\t[^\t]*\t(.*)")


class ScoreError(Exception):
    """Hypotheses and references do not belong together."""


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


def read_generate_output(path: str | Path) -> dict[int, str]:
    """Best hypotheses of a saved fairseq-generate output (its `D-` lines), by sentence number.

    Raises:
        ScoreError: the file holds no hypothesis.
    """
    hypotheses: dict[int, str] = {}
    for line in Path(path).read_text(encoding="utf-8").split("\n"):
        match = _HYPOTHESIS_LINE.fullmatch(line)
        if match:
            hypotheses.setdefault(int(match[1]), match[2])  # the first of an n-best list is the best
    if not hypotheses:
        raise ScoreError(f"{path}: no line 'D-NUMBER<TAB>SCORE<TAB>TEXT' found; is it the output of fairseq-generate?")
    return hypotheses


def read_references(path: str | Path) -> list[str]:
    """One reference a line."""
    return Path(path).read_text(encoding="utf-8").removesuffix("\n").split("\n")


def score_output(output: str | Path, references: str | Path) -> CorpusScore:
    """Score a saved fairseq-generate output against a reference file whose line n is sentence number n.

    Raises:
        ScoreError: a sentence has no hypothesis, or there are more hypotheses than references.
    """
    hypotheses, reference_lines = read_generate_output(output), read_references(references)
    expected = set(range(len(reference_lines)))
    if hypotheses.keys() != expected:
        wrong = sorted(expected ^ hypotheses.keys())
        raise ScoreError(
            f"{output} and {references} do not fit: {len(hypotheses)} hypotheses, {len(reference_lines)} references; "
            f"first sentence without its counterpart: {wrong[0]}"
        )
    return score_corpus([hypotheses[number] for number in sorted(hypotheses)], reference_lines)


def score_corpus(hypotheses: list[str], references: list[str]) -> CorpusScore:
    """Score plain, detokenised text; the lists are parallel."""
    bleu_metric, chrf_metric = BLEU(), CHRF()
    bleu = bleu_metric.corpus_score(hypotheses, [references])
    chrf = chrf_metric.corpus_score(hypotheses, [references])
    return CorpusScore(
        bleu=bleu.score,
        chrf=chrf.score,
        bp=bleu.bp,
        length_ratio=bleu.sys_len / max(bleu.ref_len, 1),
        sentences=len(references),
        bleu_signature=str(bleu_metric.get_signature()),
        chrf_signature=str(chrf_metric.get_signature()),
    )
