"""Measurements of a data-bin; plain values for JSON."""
