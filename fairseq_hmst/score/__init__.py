"""Scores of translations by corpus metrics: the command `hmst score`. Needs neither torch nor fairseq."""

from .corpus import CorpusScore, score_corpus, score_output
from .errors import ScoreError
from .options import ScoreOptions
from .systems import score_systems
from .table import ScoreTable
from .texts import References

__all__ = [
    "CorpusScore",
    "References",
    "ScoreError",
    "ScoreOptions",
    "ScoreTable",
    "score_corpus",
    "score_output",
    "score_systems",
]
