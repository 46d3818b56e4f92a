"""A model folder: what `hmst export` writes and `hmst translate` opens."""
