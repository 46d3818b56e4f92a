"""The few lines that today's torch needs before fairseq 0.12 works with it."""

import argparse

import torch

from preprocess.files.fairseq_logging import logging_unchanged

# torch >= 2.6 unpickles only classes on an allow-list; fairseq's checkpoints hold the parsed command line
torch.serialization.add_safe_globals([argparse.Namespace])

with logging_unchanged():
    import fairseq.tasks  # noqa: F401
