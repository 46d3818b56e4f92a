"""A model folder: what `fairseq_hmst.export` writes and `fairseq_hmst.translate` opens."""
