"""Translating with a model folder: reading it, decoding, cutting recordings at pauses, and forms of output."""
