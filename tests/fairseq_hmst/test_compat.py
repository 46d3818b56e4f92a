"""What compat.py mends, each in a process of its own."""

import subprocess
import sys

LOADS_AHEAD = """
import fairseq_hmst.compat
import torch
from fairseq.data.iterators import BufferedIterator

class Batches:
    def __len__(self):
        return 10**9

    def __iter__(self):
        while True:
            values = torch.randn(200, 200)
            yield torch.stack([values, (values @ values).sort()[0]])

batches = BufferedIterator(10, Batches())
for _ in range(3):
    next(batches)
"""


def test_a_process_that_loads_batches_ahead_ends_without_an_abort():
    run = subprocess.run([sys.executable, "-c", LOADS_AHEAD], capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stderr) == (0, "")
