"""A recipe: the options of every stage in one file, and the steps that must run."""
