"""The package's version, in a file of its own so that packaging reads it without importing fairseq."""

__version__ = "0.2.0"
