"""Checkpoints of fairseq-train: read with a check, written whole, compared, and gone on from."""
