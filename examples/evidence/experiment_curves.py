"""Pictures of how an experiment's trainings went."""

import statistics
from pathlib import Path
from typing import Literal

from experiment_results import Curve, Results, differing_axes

LABELS: dict[Literal["bleu_curve", "nll_curve"], str] = {
    "bleu_curve": "BLEU on dev, greedy",
    "nll_curve": "NLL on dev, bits per token",
}


def draw_curves(groups: Results, path: Path) -> None:
    """Draw BLEU above and negative log-likelihood below, of validation by updates; means over seeds.

    A column a family, a line for each group of its cells.
    """
    from matplotlib import pyplot

    axes_named = [axis for axis in differing_axes(groups) if axis != "family"]
    families = list(dict.fromkeys(dict(group)["family"] for group in groups))
    size = (4 * len(families), 3 * len(LABELS))
    figure, panels = pyplot.subplots(len(LABELS), len(families), figsize=size, sharex=True, sharey="row", squeeze=False)
    for row, (name, label) in zip(panels, LABELS.items(), strict=True):
        row[0].set_ylabel(label)
        for group, cells in groups.items():
            line = ", ".join(f"{axis} {dict(group)[axis]}" for axis in axes_named) or "all"
            mean = _mean([result[name] for _, result in cells])
            row[families.index(dict(group)["family"])].plot(list(mean), list(mean.values()), label=line)
    for family, top, bottom in zip(families, panels[0], panels[-1], strict=True):
        top.set_title(family)
        bottom.set_xlabel("updates")
    panels[0][-1].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def _mean(curves: list[Curve]) -> dict[int, float]:
    updates = sorted(set.intersection(*(set(map(int, curve)) for curve in curves)))
    return {at: statistics.mean(curve[str(at)] for curve in curves) for at in updates}
