"""What `inspect` shows of a data-bin: figures are measured, a page shows them."""
