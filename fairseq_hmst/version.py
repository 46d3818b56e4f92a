"""The package's version. Packaging reads it from here without importing fairseq."""

__version__ = "0.2.0"
