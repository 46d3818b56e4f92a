"""Recordings to frames of a speech encoder, by many workers."""
