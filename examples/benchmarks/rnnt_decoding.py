"""Speed of transducer decoding on one checkpoint: greedy and beam search, batched against one utterance at a time.

    python examples/benchmarks/rnnt_decoding.py --data DATA_BIN --checkpoint CKPT --subset test --beam 5

Seconds cover encoder and search, the fastest of the repeats; tokens are those of the best hypotheses, end of sentence
included. Ends with an error if batching changes a score by more than rounding.
"""

import argparse
import math
import time
from typing import cast

import torch
from fairseq import checkpoint_utils, tasks, utils

import fairseq_hmst.plugin  # noqa: F401  (registers the task and the models)
from fairseq_hmst.data.batch import Batch
from fairseq_hmst.data.streams import MixedStreams
from fairseq_hmst.generators.hypothesis import GeneratedHypothesis
from fairseq_hmst.generators.transducer_generator import TransducerGenerator
from fairseq_hmst.models.transducer import TransducerModel
from fairseq_hmst.tasks.hmst_translation import HmstTranslationTask

SCORE_TOLERANCE = 1e-3  # relative; sums of float32 in another order

Decoded = dict[int, GeneratedHypothesis]  # id of an utterance -> its best hypothesis


def load(checkpoint: str, data: str, stream: str) -> tuple[HmstTranslationTask, TransducerModel]:
    """The task on the data-bin, and the model of the checkpoint."""
    overrides = {"data": data, "eval_stream": stream}
    state = checkpoint_utils.load_checkpoint_to_cpu(checkpoint, overrides)
    task = tasks.setup_task(state["cfg"].task)
    (model,), _ = checkpoint_utils.load_model_ensemble([checkpoint], overrides, task)
    if "transducer" not in model.decodings:
        raise SystemExit(f"{checkpoint}: not a transducer; it can decode by: {', '.join(model.decodings)}")
    return task, model


def make_batches(dataset: MixedStreams, batch_size: int, max_utterances: int | None, device: str) -> list[Batch]:
    """Batches of utterances of similar length, as fairseq-generate makes them."""
    indices = dataset.ordered_indices()[:max_utterances].tolist()
    chunks = [indices[first : first + batch_size] for first in range(0, len(indices), batch_size)]
    batches = [dataset.collater([dataset[index] for index in chunk]) for chunk in chunks]
    return [cast(Batch, utils.move_to_cuda(batch) if device == "cuda" else batch) for batch in batches]


def decode(generator: TransducerGenerator, model: TransducerModel, batches: list[Batch]) -> tuple[float, Decoded]:
    """Seconds, and the best hypothesis of every utterance."""
    decoded: Decoded = {}
    start = time.perf_counter()
    for batch in batches:
        hypotheses = generator.generate([model], batch)  # copies its results to the CPU, and so waits for a GPU
        decoded |= {utterance: row[0] for utterance, row in zip(batch["id"].tolist(), hypotheses, strict=True)}
    return time.perf_counter() - start, decoded


def fastest(
    generator: TransducerGenerator, model: TransducerModel, batches: list[Batch], repeats: int
) -> tuple[float, Decoded]:
    """The fastest of several `decode`, after a first batch that is not counted."""
    decode(generator, model, batches[:1])
    return min((decode(generator, model, batches) for _ in range(repeats)), key=lambda timed: timed[0])


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
    parser.add_argument("--data", required=True, help="data-bin")
    parser.add_argument("--checkpoint", required=True, help="checkpoint of an hmst_transducer model")
    parser.add_argument("--subset", default="test", help="split to decode")
    parser.add_argument("--stream", default="st", choices=["st", "mt"], help="stream to decode")
    parser.add_argument("--beam", type=int, default=5, help="beam of the beam search, 2 or more")
    parser.add_argument("--batch-size", type=int, default=32, help="utterances in a batch")
    parser.add_argument("--max-utterances", type=int, help="decode this many of the shortest alone (default: all)")
    parser.add_argument("--repeats", type=int, default=1, help="runs of which the fastest counts")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    task, model = load(arguments.checkpoint, arguments.data, arguments.stream)
    model.to(arguments.device)
    task.load_dataset(arguments.subset)
    dataset = task.dataset(arguments.subset)
    sizes = {"one by one": 1, f"batches of {arguments.batch_size}": arguments.batch_size}
    batches = {
        name: make_batches(dataset, size, arguments.max_utterances, arguments.device) for name, size in sizes.items()
    }
    print(f"{sum(map(len, (batch['id'] for batch in batches['one by one'])))} utterances on {arguments.device}")
    print(f"{'search':10} {'':16} {'seconds':>8} {'tokens/s':>9} {'times':>6}  same text")
    for search, beam_size in {"greedy": 1, f"beam {arguments.beam}": arguments.beam}.items():
        generator = TransducerGenerator(task.target_dictionary, beam_size)
        alone_seconds, alone = fastest(generator, model, batches["one by one"], arguments.repeats)
        for name in sizes:
            seconds, decoded = alone_seconds, alone
            if name != "one by one":
                seconds, decoded = fastest(generator, model, batches[name], arguments.repeats)
            num_tokens = sum(len(hypothesis["tokens"]) for hypothesis in decoded.values())
            same = f"{count_equal(alone, decoded)} of {len(alone)}"
            ratio = alone_seconds / seconds
            print(f"{search:10} {name:16} {seconds:8.2f} {num_tokens / seconds:9.0f} {ratio:6.2f}  {same}")


if __name__ == "__main__":
    main()
