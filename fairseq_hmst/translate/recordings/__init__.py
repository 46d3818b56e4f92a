"""Recordings: found, read, cut at pauses, and made into units."""
