"""Measures quality against latency of live translation: all settings of a grid on dev, the best of them on test.

    python examples/live/measure_curves.py --recordings DIR --models DIR --family aed ctc --out DIR

MODELS/FAMILY/model is the model folder of a family. OUT/cells has the logs of each cell; OUT/results.jsonl a line for
each cell of this run: what was measured, BLEU, chrF, LongYAAL without and with computing (seconds). Cells run one after
the other, by one thread, since their computing is measured. What is finished is not run again: interrupt it whenever
you like.
"""

import argparse
import json
import logging
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from cells import Cell, Recordings, Result
from choice import best_settings
from settings import OFFLINE, Setting, read_grid
from tqdm import tqdm

from fairseq_hmst.translate.machine import MachineOptions
from fairseq_hmst.translate.open_model import OpenModel
from fairseq_hmst.translate.options import TranslationOptions
from fairseq_hmst.translate.translator import Translator
from preprocess.errors import UserError
from preprocess.files.whole import whole_file

HERE = Path(__file__).parent
FAMILIES = ("ctc_attention", "transducer", "aed", "ctc")
MACHINE = MachineOptions("cpu", threads=1)


class Measurement:
    """Runs the cells of some families, and collects their results.

    Args:
        out: folder to write.
        models: has FAMILY/model of each family.
        recordings: folder of the splits.
        language: translated into.
    """

    def __init__(self, out: Path, models: Path, recordings: Path, language: str) -> None:
        self._out, self._models = out, models
        self._recordings = {split: Recordings(recordings / split, language) for split in ("dev", "test")}
        self.results: list[Result] = []

    def measure(self, family: str, grid: Sequence[Setting]) -> None:
        """Measure a family: the grid on dev, and on test what is best there and the offline translation."""
        path = self._models / family / "model"
        model = OpenModel.open(path, MACHINE, None)
        decoding = Translator(model, TranslationOptions()).decoding
        on_dev = self._run(model, family, "dev", [setting for setting in grid if setting.fits(decoding)])
        names = Setting.__dataclass_fields__
        chosen = [Setting(**{name: result[name] for name in names}) for result in best_settings(on_dev)]
        self._run(model, family, "test", [OFFLINE, *chosen])

    def _run(self, model: OpenModel, family: str, split: str, settings: Sequence[Setting]) -> list[Result]:
        cells = [Cell(self._out / "cells", family, model.folder.path, self._recordings[split], one) for one in settings]
        results = []
        for cell in tqdm(cells, desc=f"{family}, {split}", unit="cell", disable=None):
            result = cell.finished()
            if result is None:
                result = cell.run(model)
                tqdm.write(f"{cell.title}: {_scores(result)}", file=sys.stdout)
            results.append(result)
            self._write([*self.results, *results])
        self.results += results
        return results

    def _write(self, results: Iterable[Result]) -> None:
        with whole_file(self._out / "results.jsonl") as temporary:
            lines = (json.dumps(result, ensure_ascii=False) + "\n" for result in results)
            temporary.write_text("".join(lines), encoding="utf-8")


def _scores(result: Result) -> str:
    latencies = [result["long_yaal"], result["computation_aware_long_yaal"]]
    known = [f"{latency:.2f}" for latency in latencies if latency is not None]
    shown = f"LongYAAL {', computation-aware '.join(known)} s" if known else "at the end"
    return f"BLEU {result['bleu']:.1f}, {shown}; took {result['spent_seconds']:.0f} s"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, required=True, help="what compose_recordings.py wrote")
    parser.add_argument("--models", type=Path, required=True, help="folder with FAMILY/model of each family")
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=FAMILIES, help="default: all four")
    parser.add_argument("--language", default="fr", help="translated into; default %(default)s")
    parser.add_argument("--grid", type=Path, default=HERE / "grid.yaml", help="settings; default %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    logging.getLogger().setLevel(logging.WARNING)
    try:
        grid = read_grid(arguments.grid)
        measurement = Measurement(arguments.out, arguments.models, arguments.recordings, arguments.language)
        for family in arguments.family:
            measurement.measure(family, grid)
    except (UserError, OSError, ValueError) as error:
        sys.exit(f"measure_curves.py: {error}")


if __name__ == "__main__":
    main()
