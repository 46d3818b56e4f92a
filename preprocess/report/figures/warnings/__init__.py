"""Warnings of a data-bin: what in it is likely to spoil a training or a score, where, and what to do."""
