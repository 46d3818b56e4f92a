"""Scores of live translations, by OmniSTEval: quality, and how far the text is behind the speaker."""

from .references import LiveReferences
from .scores import LiveScore, score_live

__all__ = ["LiveReferences", "LiveScore", "score_live"]
