"""The files that pass between stages: how each is read, checked and written whole."""
