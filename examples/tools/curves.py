"""A metric of validation by training updates, side by side for several models.

python examples/tools/curves.py examples/prompts/out/aed examples/prompts/out/ctc_attention
"""

import argparse
import json
import re
from pathlib import Path


def read_curve(log: Path, metric: str = "bleu") -> dict[int, float]:
    """A metric of validation by number of updates, from the log of a training; empty if it has none."""
    text = log.read_text(encoding="utf-8")
    curve = {}
    for line in re.findall(r"\| valid \| (\{.*\})", text):  # --log-format json
        values = json.loads(line)
        if f"valid_{metric}" in values:
            curve[int(values["valid_num_updates"])] = float(values[f"valid_{metric}"])
    plain = rf"\| valid on .*\| {re.escape(metric)} ([\d.]+) .*\| num_updates (\d+)"
    return curve | {int(updates): float(value) for value, updates in re.findall(plain, text)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", help="folders with a train.log")
    parser.add_argument("--metric", default="bleu", help="its name in the log, such as st_nll; default bleu")
    arguments = parser.parse_args()
    curves = [read_curve(model / "train.log", arguments.metric) for model in arguments.models]
    for model, curve in zip(arguments.models, curves, strict=True):
        if not curve:
            parser.error(f"{model / 'train.log'}: no validation has '{arguments.metric}'")
    print("updates  " + "  ".join(f"{model.name:>14}" for model in arguments.models))
    for updates in sorted(set().union(*curves)):
        print(f"{updates:7d}  " + "  ".join(f"{curve.get(updates, float('nan')):14.4g}" for curve in curves))


if __name__ == "__main__":
    main()
