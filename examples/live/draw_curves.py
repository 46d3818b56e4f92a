"""Draws BLEU against LongYAAL on test; prints the table of the points.

    python examples/live/draw_curves.py OUT/results.jsonl --picture live.svg

Filled points count the sound that was heard alone; hollow ones, computation-aware, the computing as well. The dashed
line of a family is its offline translation, which is written when a recording is over.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cells import Result, read_results
from settings import Setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADER = ("family", "setting", "BLEU", "of offline", "LongYAAL", "computation-aware")
SPLIT = "test"


class Curve:
    """A family's points on test.

    Args:
        family: its name.
        results: of all families and splits.
    """

    def __init__(self, family: str, results: Sequence[Result]) -> None:
        own = [result for result in results if result["family"] == family and result["split"] == SPLIT]
        (self.offline,) = (result for result in own if setting_of(result).is_offline)
        timed = [result for result in own if not setting_of(result).is_offline and result["long_yaal"] is not None]
        self.family, self.points = family, sorted(timed, key=lambda result: float(result["long_yaal"]))

    def draw(self, axes: "Axes", color: str) -> None:
        """Draw line, points and the dashed line."""
        bleu = [point["bleu"] for point in self.points]
        axes.plot([point["long_yaal"] for point in self.points], bleu, "o-", color=color, label=self.family)
        aware = [point["computation_aware_long_yaal"] for point in self.points]
        axes.plot(aware, bleu, "o", color=color, markerfacecolor="white")
        axes.axhline(self.offline["bleu"], color=color, linestyle="--", linewidth=1)

    def rows(self) -> list[tuple[str, ...]]:
        """Rows of the table, as of HEADER."""
        of_offline = self.offline["bleu"]
        rows = [(self.family, "offline", f"{of_offline:.1f}", "", "", "")]
        for point in self.points:
            share = f"{100 * point['bleu'] / of_offline:.0f} %" if of_offline else ""
            seconds = [f"{point[name]:.2f} s" for name in ("long_yaal", "computation_aware_long_yaal")]
            rows.append((self.family, setting_of(point).name, f"{point['bleu']:.1f}", share, *seconds))
        return rows


def setting_of(result: Result) -> Setting:
    """The setting that a result is of."""
    return Setting(**{name: result[name] for name in Setting.__dataclass_fields__})


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draw all curves; the same results make the same file."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "live", "font.family": "sans-serif"}
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    for number, curve in enumerate(curves):
        curve.draw(axes, f"C{number}")
    axes.plot([], [], "o", color="grey", markerfacecolor="white", label="computation-aware")
    axes.plot([], [], "--", color="grey", linewidth=1, label="offline")
    axes.set(xlabel="LongYAAL, s", ylabel="BLEU", xlim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="lower right")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="results.jsonl of measure_curves.py")
    parser.add_argument("--picture", type=Path, required=True, help="SVG file to write")
    arguments = parser.parse_args()
    results = list(read_results(arguments.results))
    curves = [Curve(family, results) for family in dict.fromkeys(result["family"] for result in results)]
    draw(curves, arguments.picture)
    lines = [HEADER, ("---",) * len(HEADER), *(row for curve in curves for row in curve.rows())]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


if __name__ == "__main__":
    main()
