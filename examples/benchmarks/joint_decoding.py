"""Speed of joint CTC/attention decoding, beside attention alone, and in batches beside one by one.

    python examples/benchmarks/joint_decoding.py --data examples/prompts/out/data/data-bin \
        --checkpoint examples/prompts/out/ctc_attention/checkpoint_last.pt
    python examples/benchmarks/joint_decoding.py --data DATA_BIN --random hmst_ctc_attention_base --max-length 28

Seconds are of the search alone, encoding included: the median of several rounds in turn, after a batch of each that is
not counted. Outputs of random weights end at --max-length alone.
"""

import argparse
import statistics

from decoded_model import add_options as add_model_options
from decoded_model import load, make_batches
from omegaconf import OmegaConf
from results import Results, add_options
from stopwatch import timed

from fairseq_hmst.data.batch import Batch


class Search:
    """One way to decode the subset.

    Attributes:
        hypotheses: tokens of the best hypotheses of the last run, by sentence number.
        seconds: of the runs.
    """

    def __init__(self, arguments: argparse.Namespace, decoding: str, batch_size: int) -> None:
        weight = {"ctc_decode_weight": arguments.ctc_decode_weight} if decoding == "joint" else {}
        self.task, self.model = load(arguments, decoding, **weight)
        self.batches = make_batches(self.task, arguments, batch_size)
        options = OmegaConf.create({"beam": arguments.beam, "max_len_b": arguments.max_length})
        self.generator = self.task.build_generator([self.model], options)
        self.hypotheses: dict[int, list[int]] = {}
        self.seconds: list[float] = []
        self._device = arguments.device
        self._decode(self.batches[:1])

    def run(self) -> None:
        """Decode the subset once."""
        self.seconds.append(timed(lambda: self._decode(self.batches), self._device)[1])

    def _decode(self, batches: list[Batch]) -> None:
        for batch in batches:
            found = self.task.inference_step(self.generator, [self.model], batch)
            for number, (best, *_) in zip(batch["id"].tolist(), found, strict=True):
                self.hypotheses[number] = best["tokens"].tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_options(parser)
    parser.add_argument("--beam", type=int, default=10, help="default %(default)s")
    parser.add_argument("--ctc-decode-weight", type=float, default=0.3, help="default %(default)s")
    parser.add_argument("--max-length", type=int, default=200, help="tokens of an output, default %(default)s")
    parser.add_argument("--batch-size", type=int, default=64, help="utterances; default %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="how often all are run in turn; default %(default)s")
    add_options(parser)
    arguments = parser.parse_args()
    cases = {
        "attention, batched": ("attention", arguments.batch_size),
        "joint, batched": ("joint", arguments.batch_size),
        "joint, one by one": ("joint", 1),
    }
    searches = {name: Search(arguments, decoding, size) for name, (decoding, size) in cases.items()}
    for _ in range(arguments.rounds):
        for search in searches.values():
            search.run()
    report(searches, Results(arguments.results, arguments.device))


def report(searches: dict[str, Search], results: Results) -> None:
    """Print speeds and ratios, and how many best hypotheses differ; rounding may turn an exact tie."""
    seconds = {name: statistics.median(search.seconds) for name, search in searches.items()}
    for name, search in searches.items():
        num_tokens, num_utterances = sum(map(len, search.hypotheses.values())), len(search.hypotheses)
        speed = num_utterances / seconds[name]
        print(
            f"{name:20} {seconds[name]:8.2f} s {speed:8.1f} utterances and "
            f"{num_tokens / seconds[name]:8.0f} tokens a second  ({num_utterances} and {num_tokens})"
        )
        results.add(name, speed, "utterances/s")
    batched, one_by_one = searches["joint, batched"].hypotheses, searches["joint, one by one"].hypotheses
    differing = sum(batched[number] != one_by_one[number] for number in batched)
    print(f"best hypotheses that differ between batched and one by one: {differing} of {len(batched)}")
    results.add("joint: best hypotheses that differ between batched and one by one", differing, f"of {len(batched)}")
    joint = seconds["joint, batched"]
    print(f"joint, batched / attention, batched: {joint / seconds['attention, batched']:.2f} of its time")
    print(f"joint, one by one / joint, batched: {seconds['joint, one by one'] / joint:.1f} times its time")


if __name__ == "__main__":
    main()
