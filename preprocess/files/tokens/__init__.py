"""Sequences of tokens as a data-bin and a training both see them: repeated text, and what CTC needs of a length."""
