"""Reading a data-bin: its card, its streams of examples, and their batches."""

from .. import compat  # noqa: F401  (before fairseq, whose import would change the logging of the process)
