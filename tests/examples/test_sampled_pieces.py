"""The benchmark of sampled pieces draws all rows of a data-bin, and times SentencePiece beside it."""

import re
import sys

from toy import REPOSITORY, run_command

from fairseq_hmst.data.data_bin import DataBin


def test_it_draws_all_rows_beside_sentencepiece(toy_data_bin):
    run = run_command(sys.executable, REPOSITORY / "examples/benchmarks/sampled_pieces.py", toy_data_bin)
    assert run.returncode == 0, run.stderr
    rows, pieces, seconds = re.search(r"(\d+) rows, (\d+) pieces: ([\d.]+) s an epoch", run.stdout).groups()
    assert int(rows) == sum(stream.examples for stream in DataBin(toy_data_bin).card.counts["train"].values())
    assert int(pieces) > 2 * int(rows) and float(seconds) < 60
    assert re.search(r"SentencePiece: [\d.]+ s; [\d.]+ times as long", run.stdout)
