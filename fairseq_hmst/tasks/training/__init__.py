"""Checks before a training, its text twins, and what it logs of itself."""
