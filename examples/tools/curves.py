"""Validation BLEU by training updates, side by side for several models.

python examples/tools/curves.py examples/prompts/out/aed examples/prompts/out/ctc_attention
"""

import argparse
import re
from pathlib import Path

VALIDATION = re.compile(r"\| valid on .*\| bleu (?P<bleu>[\d.]+) .*\| num_updates (?P<updates>\d+)")


def read_curve(log: Path) -> dict[int, float]:
    """Validation BLEU by number of updates, from the log of fairseq-train."""
    matches = VALIDATION.finditer(log.read_text(encoding="utf-8"))
    return {int(match["updates"]): float(match["bleu"]) for match in matches}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", help="folders with a train.log")
    models = parser.parse_args().models
    curves = [read_curve(model / "train.log") for model in models]
    print("updates  " + "  ".join(f"{model.name:>14}" for model in models))
    for updates in sorted(set().union(*curves)):
        print(f"{updates:7d}  " + "  ".join(f"{curve.get(updates, float('nan')):14.1f}" for curve in curves))


if __name__ == "__main__":
    main()
