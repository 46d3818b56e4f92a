"""The places of outputs, checked and locked before the work, and outputs replaced whole after it."""
