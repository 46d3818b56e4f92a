"""Trainings by fairseq: their precision, their updates, and what they tell `hmst train`."""
