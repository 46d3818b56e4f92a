"""Speed of joint CTC/attention decoding beside attention alone, on one trained checkpoint, in one run.

Attention alone in batches, joint in batches, and joint one utterance at a time; seconds are of the search alone
(encoding included), the best of several rounds run in turn:

    python examples/benchmarks/joint_decoding.py --data examples/prompts/out/data/data-bin \
        --checkpoint examples/prompts/out/ctc_attention/checkpoint_last.pt
"""

import argparse
import time
from pathlib import Path
from typing import cast

import torch
from fairseq import checkpoint_utils, utils
from omegaconf import OmegaConf

import fairseq_hmst.plugin  # noqa: F401  (registers the task and the models)
from fairseq_hmst.tasks.hmst_translation import HmstTranslationConfig, HmstTranslationTask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data-bin that the checkpoint was trained on")
    parser.add_argument("--checkpoint", type=Path, required=True, help="a model that has --decoding joint")
    parser.add_argument("--subset", default="test")
    parser.add_argument("--beam", type=int, default=10)
    parser.add_argument("--ctc-decode-weight", type=float, default=0.3)
    parser.add_argument("--batch-size", type=int, default=64, help="utterances")
    parser.add_argument("--rounds", type=int, default=3, help="how often all are run in turn")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    cases = {
        "attention, batched": ("attention", arguments.batch_size),
        "joint, batched": ("joint", arguments.batch_size),
        "joint, one by one": ("joint", 1),
    }
    searches = {name: Search(arguments, decoding, size) for name, (decoding, size) in cases.items()}
    seconds = {name: float("inf") for name in cases}
    for _ in range(arguments.rounds):
        for name, search in searches.items():
            seconds[name] = min(seconds[name], search.run())
    for name, search in searches.items():
        rate = search.num_tokens / seconds[name]
        print(f"{name:20} {seconds[name]:8.2f} s  {rate:8.0f} tokens a second  ({search.num_tokens} tokens)")
    check_same(searches["joint, batched"].hypotheses, searches["joint, one by one"].hypotheses)
    joint = seconds["joint, batched"]
    print(f"joint, batched / attention, batched: {joint / seconds['attention, batched']:.2f} of its time")
    print(f"joint, one by one / joint, batched: {seconds['joint, one by one'] / joint:.1f} times its time")


class Search:
    """One way to decode the subset.

    Attributes:
        hypotheses: tokens of the best hypotheses of the last run, by sentence number.
        num_tokens: their number, over all sentences.
    """

    def __init__(self, arguments: argparse.Namespace, decoding: str, batch_size: int) -> None:
        defaults = OmegaConf.structured(HmstTranslationConfig)
        options = {"data": str(arguments.data), "decoding": decoding}
        if decoding == "joint":
            options["ctc_decode_weight"] = arguments.ctc_decode_weight
        self.task = HmstTranslationTask(cast(HmstTranslationConfig, OmegaConf.merge(defaults, options)))
        self.models, _ = checkpoint_utils.load_model_ensemble([str(arguments.checkpoint)], task=self.task)
        for model in self.models:
            model.to(arguments.device).eval()
        self.task.load_dataset(arguments.subset, task_cfg=self.task.cfg)
        dataset = self.task.dataset(arguments.subset)
        rows_of_batches = dataset.batch_by_size(dataset.ordered_indices(), max_sentences=batch_size)
        batches = [dataset.collater([dataset[row] for row in rows]) for rows in rows_of_batches]
        self.batches = [utils.apply_to_sample(lambda part: part.to(arguments.device), batch) for batch in batches]
        self.generator = self.task.build_generator(self.models, OmegaConf.create({"beam": arguments.beam}))

    def run(self) -> float:
        """Decode the subset once; seconds."""
        self.hypotheses: dict[int, list[int]] = {}
        start = time.perf_counter()
        for batch in self.batches:
            found = self.task.inference_step(self.generator, self.models, batch)
            for number, (best, *_) in zip(batch["id"].tolist(), found, strict=True):
                self.hypotheses[number] = best["tokens"].tolist()
        self.num_tokens = sum(map(len, self.hypotheses.values()))
        return time.perf_counter() - start


def check_same(batched: dict[int, list[int]], one_by_one: dict[int, list[int]]) -> None:
    """Say how many best hypotheses differ; rounding may turn an exact tie."""
    differing = sum(batched[number] != one_by_one[number] for number in batched)
    print(f"best hypotheses that differ between batched and one by one: {differing} of {len(batched)}")


if __name__ == "__main__":
    main()
