"""Options that vary the examples of a training from epoch to epoch."""
