"""Scoring translations by corpus metrics; the command is `hmst-score` (score.py). Needs neither torch nor fairseq."""
