"""The four model families; every family reaches speech and text through the same shared encoder."""

from .. import compat  # noqa: F401  (before fairseq, whose import would change the logging of the process)
