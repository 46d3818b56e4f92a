"""Searches of a CTC head: best path, prefix beam search, and prefix scores for joint decoding."""
