"""Output in the form of fairseq-generate."""

from collections.abc import Mapping, Sequence


def output_of(hypotheses: Mapping[int, Sequence[str]]) -> str:
    """The whole output of a run: n-best lists by sentence, in this order."""
    lines = ["2026-11-28 12:00:00 | INFO | fairseq_cli.generate | loading model(s)"]
    for sentence, texts in hypotheses.items():
        lines += [f"S-{sentence}\ta source", f"T-{sentence}\ta reference"]
        for text in texts:
            lines += [f"H-{sentence}\t-0.5\t▁{text}", f"D-{sentence}\t-0.5\t{text}", f"P-{sentence}\t-0.5 -0.5"]
    return "\n".join([*lines, "Generate test with beam=5: BLEU = 12.3 50.0/25.0/12.5/6.2"]) + "\n"
