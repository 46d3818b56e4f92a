"""Policies: how many tokens of the best translation so far may be committed, one small class each."""
