"""Scores of one trained model on the test sets of the prompts example: a table, and report.json beside the model."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from fairseq_hmst.data.data_bin import DataBin
from fairseq_hmst.score import CorpusScore, score_output

# name in report.json -> (stream, split, what it is)
TEST_SETS = {
    "st": ("st", "test", "announcements, speech to text"),
    "st_prompts": ("st", "test_prompts", "whole prompts never heard, speech to text"),
    "mt": ("mt", "test", "announcements, text to text"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-bin", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder with checkpoints and decoded test sets")
    arguments = parser.parse_args()
    data_bin = DataBin(arguments.data_bin)
    scores = {}
    for name, (stream, split, _) in TEST_SETS.items():
        output = arguments.model / stream / f"generate-{split}.txt"
        scores[name] = score_output(output, f"{data_bin.stream_prefix(split, stream)}.ref.txt")
    training = json.loads((arguments.model / "training.json").read_text(encoding="utf-8"))
    write_report(arguments.model / "report.json", data_bin, scores, training)
    print_report(data_bin, scores, training)


def write_report(path: Path, data_bin: DataBin, scores: dict[str, CorpusScore], training: dict[str, int]) -> None:
    """Write all scores, seconds and peak memory (MB) of the training, and what made the data."""
    report: dict[str, object] = {name: score.as_dict() for name, score in scores.items()}
    report |= training | {"card": data_bin.signature, "ratios": asdict(data_bin.card.ratios)}
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def print_report(data_bin: DataBin, scores: dict[str, CorpusScore], training: dict[str, int]) -> None:
    """Print the same for a person."""
    print(f"\n{'test set':44} sentences   BLEU   chrF  brevity penalty  length ratio")
    for name, (_, _, title) in TEST_SETS.items():
        score = scores[name]
        print(
            f"{title:44} {score.sentences:9d}  {score.bleu:5.1f}  {score.chrf:5.1f}  {score.bp:15.3f}  "
            f"{score.length_ratio:12.3f}"
        )
    print(f"\nBLEU: {scores['st'].bleu_signature}\nchrF: {scores['st'].chrf_signature}\ndata: {data_bin.signature}")
    for name, value in data_bin.card.ratios.known.items():
        print(f"{name.replace('_', ' ')}: {value:.2f}")
    print(f"training took {training['seconds']} s and at most {training['peak_memory_mb']} MB")


if __name__ == "__main__":
    main()
