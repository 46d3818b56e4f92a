"""Speed of transducer decoding: greedy and beam search, batched against one utterance at a time.

    python examples/benchmarks/rnnt_decoding.py --data DATA_BIN --checkpoint CKPT --subset test --beam 5
    python examples/benchmarks/rnnt_decoding.py --data DATA_BIN --random hmst_transducer_base

Seconds cover encoder and search, the median of the repeats after a batch that is not counted; tokens are those of the
best hypotheses, end of sentence included. Ends with an error if batching changes a score by more than rounding.
"""

import argparse
import math
import statistics

import torch
from decoded_model import add_options as add_model_options
from decoded_model import load, make_batches
from results import Results, add_options
from stopwatch import timed

from fairseq_hmst.data.batch import Batch
from fairseq_hmst.generators.hypothesis import GeneratedHypothesis
from fairseq_hmst.generators.transducer.transducer_generator import TransducerGenerator
from fairseq_hmst.models.transducer import TransducerModel

SCORE_TOLERANCE = 1e-3  # relative; sums of float32 in another order

Decoded = dict[int, GeneratedHypothesis]  # id of an utterance -> its best hypothesis


def decode(generator: TransducerGenerator, model: TransducerModel, batches: list[Batch]) -> Decoded:
    """The best hypothesis of every utterance."""
    decoded: Decoded = {}
    for batch in batches:
        hypotheses = generator.generate([model], batch)
        decoded |= {utterance: row[0] for utterance, row in zip(batch["id"].tolist(), hypotheses, strict=True)}
    return decoded


def measure(
    generator: TransducerGenerator, model: TransducerModel, batches: list[Batch], arguments: argparse.Namespace
) -> tuple[float, Decoded]:
    """Seconds, and the best hypothesis of every utterance."""
    decode(generator, model, batches[:1])
    runs = [timed(lambda: decode(generator, model, batches), arguments.device) for _ in range(arguments.repeats)]
    return statistics.median(seconds for _, seconds in runs), runs[-1][0]


def count_equal(alone: Decoded, together: Decoded) -> int:
    """Number of utterances with the same text; a score that differs by more than rounding ends the program."""
    for utterance, hypothesis in alone.items():
        found, expected = float(together[utterance]["score"]), float(hypothesis["score"])
        if not math.isclose(found, expected, rel_tol=SCORE_TOLERANCE, abs_tol=SCORE_TOLERANCE):
            raise SystemExit(f"utterance {utterance}: score {expected:.5f} alone, but {found:.5f} in a batch")
    return sum(torch.equal(alone[utterance]["tokens"], together[utterance]["tokens"]) for utterance in alone)


def parse_arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_options(parser)
    parser.add_argument("--beam", type=int, default=5, help="beam of the beam search, 2 or more; default %(default)s")
    parser.add_argument("--batch-size", type=int, default=32, help="utterances in a batch; default %(default)s")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each search; default %(default)s")
    add_options(parser)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    task, model = load(arguments, "transducer")
    results = Results(arguments.results, arguments.device)
    sizes = {"one by one": 1, f"batches of {arguments.batch_size}": arguments.batch_size}
    batches = {name: make_batches(task, arguments, size) for name, size in sizes.items()}
    print(f"{sum(map(len, (batch['id'] for batch in batches['one by one'])))} utterances on {arguments.device}")
    print(f"{'search':10} {'':16} {'seconds':>8} {'utterances/s':>13} {'tokens/s':>9} {'times':>6}  same text")
    for search, beam_size in {"greedy": 1, f"beam {arguments.beam}": arguments.beam}.items():
        generator = TransducerGenerator(task.target_dictionary, beam_size)
        alone_seconds, alone = measure(generator, model, batches["one by one"], arguments)
        for name in sizes:
            seconds, decoded = alone_seconds, alone
            if name != "one by one":
                seconds, decoded = measure(generator, model, batches[name], arguments)
            num_tokens = sum(len(hypothesis["tokens"]) for hypothesis in decoded.values())
            speed, equal = len(decoded) / seconds, count_equal(alone, decoded)
            print(
                f"{search:10} {name:16} {seconds:8.2f} {speed:13.1f} {num_tokens / seconds:9.0f} "
                f"{alone_seconds / seconds:6.2f}  {equal} of {len(alone)}"
            )
            results.add(f"{search}, {name}", speed, "utterances/s")
        results.add(f"{search}: texts that are the same in batches and one by one", equal, f"of {len(alone)}")


if __name__ == "__main__":
    main()
