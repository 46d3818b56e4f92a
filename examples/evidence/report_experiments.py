"""Tables and curves of a grid's results: `python examples/evidence/report_experiments.py GRID.yaml`.

Writes OUT/report.md, a table for each experiment of which two kinds of cells are finished, and OUT/EXPERIMENT.png,
validation by updates (mean over seeds). Means and standard deviations are over seeds. `gain` is BLEU less that of the
cell of the same seed that the grid's `against` names, seed by seed; `p of outputs` is that of `hmst score`, by
exchanging sentences, the largest over seeds; `p of seeds` that of its test over trainings. `dev NLL` is in bits per
target token of speech, the lowest of a training's validations.
"""

import argparse
import logging
import statistics
from typing import Literal, get_args

from experiment_curves import draw_curves
from experiment_grid import Cell, Grid, Stream, parse_arguments
from experiment_results import Result, differing_axes, finished, read_result

from fairseq_hmst.score.comparison import compare_systems
from fairseq_hmst.score.texts import References, read_hypotheses
from fairseq_hmst.score.trainings import compare_trainings

STREAMS: tuple[Stream, ...] = get_args(Stream)
Metric = Literal["bleu", "chrf", "bp"]


def find_baselines(grid: Grid, experiment: str) -> dict[str, Cell]:
    """Cell name -> the finished cell that the grid's `against` names for it; cells without one are left out."""
    cells = {tuple(cell.values.items()): cell for cell in grid.cells}
    found: dict[str, Cell] = {}
    for rows in finished(grid, experiment).values():
        for cell, _ in rows:
            baseline = cells.get(tuple((cell.values | grid.against[experiment]).items()), cell)
            if baseline is not cell and read_result(baseline.folder) is not None:
                found[cell.name] = baseline
    return found


def gains(grid: Grid, baselines: dict[str, Cell], stream: Stream) -> dict[str, float]:
    """Cell name -> BLEU of a stream less that of its baseline, where both have it."""
    found: dict[str, float] = {}
    for name, baseline in baselines.items():
        own, other = read_result(grid.out / "cells" / name), read_result(baseline.folder)
        if own is not None and other is not None and stream in own and stream in other:
            found[name] = own[stream]["bleu"] - other[stream]["bleu"]
    return found


def p_values(grid: Grid, baselines: dict[str, Cell], stream: Stream) -> dict[str, float]:
    """Cell name -> p against its baseline, for BLEU of a stream that both have."""
    p_by_name: dict[str, float] = {}
    for baseline in {cell.name: cell for cell in baselines.values()}.values():
        references = References.of_data_bin(baseline.data_bin, "test", stream)
        names = [baseline.name, *(name for name, cell in baselines.items() if cell is baseline)]
        outputs = {name: grid.out / "cells" / name / f"{stream}.txt" for name in names}
        present = {name: read_hypotheses(path, references) for name, path in outputs.items() if path.is_file()}
        if baseline.name in present and len(present) > 1:
            compared = compare_systems(present, references.lines, languages=references.language_of_lines)
            of_baseline = {name: found["bleu"].p_value for name, found in compared.items()}
            p_by_name |= {name: p_value for name, p_value in of_baseline.items() if p_value is not None}
    return p_by_name


def table(grid: Grid, experiment: str) -> list[str]:
    """Lines of an experiment's table in Markdown."""
    groups = finished(grid, experiment)
    names = differing_axes(groups)
    baselines = find_baselines(grid, experiment)
    gain = ["gain", "p of outputs", "p of seeds"]
    header = [*names, "seeds", "ST BLEU", *gain, "chrF", "brevity penalty", "dev NLL", "MT BLEU", *gain]
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    beside = {stream: (gains(grid, baselines, stream), p_values(grid, baselines, stream)) for stream in STREAMS}
    for group, rows in groups.items():
        results = [result for _, result in rows]
        cells = [dict(group)[name] for name in names] + [str(len(rows))]
        cells += [_spread(_scores(results, "st", "bleu")), *_gain_and_ps(*beside["st"], rows)]
        cells += [_spread(_scores(results, "st", "chrf")), _spread(_scores(results, "st", "bp"), 3)]
        cells += [_spread([min(result["nll_curve"].values()) for result in results if "st" in result], 2)]
        cells += [_spread(_scores(results, "mt", "bleu")), *_gain_and_ps(*beside["mt"], rows)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _scores(results: list[Result], stream: Stream, metric: Metric) -> list[float]:
    return [result[stream][metric] for result in results if stream in result]


def _spread(values: list[float], digits: int = 1) -> str:
    if not values:
        return ""
    deviation = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{deviation}"


def _gain_and_ps(
    gain: dict[str, float], chance: dict[str, float], rows: list[tuple[Cell, Result]]
) -> tuple[str, str, str]:
    names = [cell.name for cell, _ in rows if cell.name in chance]
    if not names:
        return "", "", ""
    over_seeds = compare_trainings([gain[name] for name in names], [0.0] * len(names)).p_value if names[1:] else None
    return (
        ", ".join(f"{gain[name]:+.1f}" for name in names),
        _p(max(chance[name] for name in names)),
        "" if over_seeds is None else _p(over_seeds),
    )


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    grid, _ = parse_arguments(parser)
    for name in ("sacrebleu", "matplotlib"):  # which log every step
        logging.getLogger(name).setLevel(logging.WARNING)
    lines: list[str] = []
    signatures: set[str] = set()
    for experiment in grid.against:
        groups = finished(grid, experiment)
        if len(groups) > 1:
            lines += [f"## {experiment}", "", *table(grid, experiment), ""]
            draw_curves(groups, grid.out / f"{experiment}.png")
            for rows in groups.values():
                signatures |= {f"data: {result['signature']}" for _, result in rows}
                signatures |= {result[s]["bleu_signature"] for _, result in rows for s in STREAMS if s in result}
    text = "\n".join([*lines, *sorted(signatures)]) + "\n"
    (grid.out / "report.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
