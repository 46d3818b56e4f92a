"""The training criterion."""

from .. import compat  # noqa: F401  (before fairseq, whose import would change the logging of the process)
