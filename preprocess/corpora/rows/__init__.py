"""From the rows of a release to those of a manifest: filters, faults, splits, and what is said of them."""
