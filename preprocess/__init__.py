"""Audio and text to the binarized streams that fairseq_hmst trains on; see `hmst preprocess --help`."""
