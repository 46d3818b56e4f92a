"""The report of `inspect` on a data-bin: figures are measured, a page shows them."""
