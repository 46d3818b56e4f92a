"""Scores of references in place of a search (--score-reference), by each head."""
