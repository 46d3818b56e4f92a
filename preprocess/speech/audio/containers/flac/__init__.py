"""FLAC: frames that are numbered, behind a header that may say how many samples there are."""
