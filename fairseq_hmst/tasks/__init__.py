"""The fairseq task. Fairseq looks through this folder of a `--user-dir`: so importing it registers the whole plugin."""

from .. import plugin  # noqa: F401
