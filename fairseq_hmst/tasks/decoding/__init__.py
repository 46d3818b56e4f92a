"""Parts of decoding that are no search: what is checked before, what no search sees, and results with NaN."""
