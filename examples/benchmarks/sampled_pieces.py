"""Sampled pieces against SentencePiece's own sampling, on the train split of a data-bin, in one process.

    OMP_NUM_THREADS=1 python examples/benchmarks/sampled_pieces.py DATA_BIN

Units, source text and target of all rows, with alpha 0.2; the fastest of three rounds of each. SentencePiece gets rows
as text and gives pieces, and has no rows to gather, to compare in length, or to put back; its draws differ from run to
run.
"""

import argparse

import numpy as np
from stopwatch import timed

from fairseq_hmst.data.data_bin import DataBin
from fairseq_hmst.data.flat_rows import inner_tokens
from fairseq_hmst.data.stream_rows import StreamRows, load_stream
from fairseq_hmst.data.variation.draws import Draws
from fairseq_hmst.tasks.variation.building import vary_streams
from fairseq_hmst.tasks.variation.options import VariationConfig

ALPHA, ROUNDS = 0.2, 3


def texts_of(data_bin: DataBin, streams: list[StreamRows]) -> list[tuple[str, list[str]]]:
    """Names of subword models, and the texts that they cut."""
    symbols, found = data_bin.language_symbols, []
    for stream in streams:
        sides = [("target", stream.targets, (symbols.num_target_symbols, 1)), ("source", stream.transcripts, (0, 1))]
        if stream.name == "st":
            sides.append(("unit", stream.sources, symbols.source_edges))
        for model, rows, edges in sides:
            if rows is not None:
                dictionary = data_bin.target_dictionary if model == "target" else data_bin.source_dictionary
                flat = inner_tokens(rows, *edges)
                pieces = [[dictionary[token] for token in flat.array(row)] for row in range(len(flat))]
                found.append((model, ["".join(row).replace("\u2581", " ").strip() for row in pieces]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_bin", metavar="DATA_BIN")
    data_bin = DataBin(parser.parse_args().data_bin)
    streams = [load_stream(data_bin, "train", name) for name in ("st", "mt") if data_bin.has_stream("train", name)]
    texts = texts_of(data_bin, streams)
    vary_streams(VariationConfig(sample_pieces="units,source,target"), streams, data_bin, "train", has_views=False)

    def ours(epoch: int) -> int:
        drawn = [stream.of_epoch(Draws(1, epoch)) for stream in streams]
        sides = [rows for stream in drawn for rows in (stream.targets, stream.transcripts) if rows is not None]
        return int(sum(np.sum(rows.sizes) for rows in [*sides, *(each.sources for each in drawn if each.name == "st")]))

    def sentencepiece() -> int:
        return sum(
            len(row)
            for model, rows in texts
            for row in data_bin.subword_model(model).encode(
                rows, enable_sampling=True, alpha=ALPHA, nbest_size=-1, num_threads=1
            )
        )

    epochs = iter(range(ROUNDS))
    pieces, seconds = min((timed(lambda: ours(next(epochs)), "cpu") for _ in range(ROUNDS)), key=lambda run: run[1])
    theirs = min(timed(sentencepiece, "cpu")[1] for _ in range(ROUNDS))
    rows = sum(len(stream.sources) for stream in streams)
    print(f"{rows} rows, {pieces} pieces: {seconds:.2f} s an epoch, {pieces / seconds:.0f} pieces a second")
    print(f"SentencePiece: {theirs:.2f} s; {theirs / seconds:.2f} times as long")


if __name__ == "__main__":
    main()
