"""Variation of the rows of a training from epoch to epoch: joined, segmented, repeated and masked in other ways."""
