"""Outputs from before the work, when their place is checked and locked, to its end, when they are replaced whole."""
