"""The few lines that today's torch needs before fairseq 0.12 works with it."""

import argparse
import logging

import torch

# torch >= 2.6 unpickles only classes on an allow-list; fairseq's checkpoints hold the parsed command line
torch.serialization.add_safe_globals([argparse.Namespace])

# every command of fairseq that loads a task asks for tensorboardX, which is of no use here
logging.getLogger("fairseq.tasks.text_to_speech").setLevel(logging.WARNING)
