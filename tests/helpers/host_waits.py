"""Waits of the host for the GPU, uploads and operations of one update: a table of families with layers of _base.

PYTHONPATH=. python tests/helpers/host_waits.py
"""

import argparse
import contextlib
import logging
import os
import tempfile
from collections import Counter
from pathlib import Path

from device_training import FAMILIES, Case, run_trainer, training_device
from toy import make_toy_data_bin, task_with_twins

LAYERS = {"hmst_aed": 12, "hmst_ctc": 18, "hmst_ctc_attention": 18, "hmst_transducer": 18}  # of _base


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--by-line", action="store_true", help="list the lines of code that wait and send")
    by_line = parser.parse_args().by_line
    with tempfile.TemporaryDirectory() as folder:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            task = task_with_twins(make_toy_data_bin(Path(folder)))
        print(
            "| family | waits | of this package | uploads | of this package | operations |\n|---|--:|--:|--:|--:|--:|"
        )
        for family in FAMILIES:
            source_ctc_layer = 0 if family == "hmst_aed" else 12
            layers = {"encoder_layers": LAYERS[family], "decoder_layers": 6, "source_ctc_layer": source_ctc_layer}
            with training_device() as gpu:
                update = run_trainer(Case(family, layers), task, gpu)[1]
            waits, uploads = update.waits, update.uploads
            counts = (waits.total(), _ours(waits), uploads.total(), _ours(uploads), update.operations)
            print(f"| `{family}` | {' | '.join(map(str, counts))} |", flush=True)
            if by_line:
                print(*(f"{n} at {place}" for place, n in sorted((waits + uploads).items())), sep="\n", flush=True)


def _ours(counts: Counter[str]) -> int:
    return sum(number for place, number in counts.items() if place.startswith("fairseq_hmst/"))


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main()
