"""Rows of a release to those of a manifest: filters, faults, splits, and their summary."""
