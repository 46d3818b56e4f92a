"""A program beside its files: its options, its progress, and the libraries and downloads that it needs."""
