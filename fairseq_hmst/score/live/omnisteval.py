"""OmniSTEval as a program: what a live translation's log is worth, by BLEU, chrF and LongYAAL."""

import csv
import importlib.metadata
import importlib.util
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..errors import ScoreError
from .logs import LoggedUpdate, simulstream_log
from .references import LiveReferences

PROGRAM = "omnisteval"
INSTALL = "pip install 'fairseq_hmst[live]'"
# simulstream joins pieces of SentencePiece to words by this
DETOKENIZER = {"detokenizer_type": "simuleval", "latency_unit": "spm"}
LAST_LINES = 3  # of a failure
MILLISECONDS = 1000.0


@dataclass(frozen=True)
class Measures:
    """Figures of OmniSTEval.

    Attributes:
        bleu, chrf: 0 to 100, of the text cut into the segments of the references.
        long_yaal, computation_aware_long_yaal: seconds; None where no word came before its recording's end.
    """

    bleu: float
    chrf: float
    long_yaal: float | None
    computation_aware_long_yaal: float | None


def installed_version() -> str:
    """The version of OmniSTEval.

    Raises:
        ScoreError: OmniSTEval or simulstream, which reads its logs, is not installed.
    """
    for name in (PROGRAM, "simulstream"):
        if importlib.util.find_spec(name) is None:
            raise ScoreError(f"--live needs {name}, which is not installed", advice=INSTALL)
    return importlib.metadata.version(PROGRAM)


def run_omnisteval(
    folder: Path,
    recordings: Sequence[Sequence[LoggedUpdate]],
    references: LiveReferences,
    options: Sequence[str],
) -> Measures:
    """Run `omnisteval longform`.

    Args:
        folder: an empty one, for files in between.
        recordings: the updates of each of `references.recordings`, parallel to them.
        references: segments and sentences.
        options: of the program: level, language, tokenizer.

    Raises:
        ScoreError: it fails; the message has its last lines.
    """
    numbers = {name: number for number, name in enumerate(references.recordings)}
    segments = [
        {"wav": f"{numbers[segment.recording]}.wav", "offset": segment.offset, "duration": segment.duration}
        for segment in references.segments
    ]
    files = {
        "segments.json": json.dumps(segments),
        "sentences.txt": "\n".join(references.sentences) + "\n",
        "log.jsonl": "\n".join(simulstream_log(recordings)) + "\n",
        "detokenizer.yaml": yaml.safe_dump(DETOKENIZER),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    _run("longform", *_arguments(folder), *options)
    return _read_measures(folder / "scores" / "scores.tsv")


def _arguments(folder: Path) -> list[str]:
    return [
        *("--speech_segmentation", str(folder / "segments.json")),
        *("--ref_sentences_file", str(folder / "sentences.txt")),
        *("--hypothesis_file", str(folder / "log.jsonl")),
        *("--hypothesis_format", "simulstream"),
        *("--simulstream_config_file", str(folder / "detokenizer.yaml")),
        *("--output_folder", str(folder / "scores")),
    ]


def _run(*arguments: str) -> None:
    command = [sys.executable, "-P", "-m", f"{PROGRAM}.cli", *arguments]
    found = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8", errors="replace")
    lines = found.stderr.splitlines()
    # it goes on without a score that it could not make
    faults = [line for line in lines if line.startswith("ERROR:") or "Failed to compute" in line]
    if found.returncode or faults:
        said = "\n".join(faults or lines[-LAST_LINES:])
        raise ScoreError(f"{PROGRAM} failed with exit status {found.returncode}:\n{said}")


def _read_measures(path: Path) -> Measures:
    with path.open(encoding="utf-8", newline="") as lines:
        values = {row["metric"]: float(row["value"]) for row in csv.DictReader(lines, delimiter="\t")}
    return Measures(
        bleu=values["BLEU"],
        chrf=values["chrF"],
        long_yaal=_seconds(values.get("LongYAAL (CU)", math.nan)),
        computation_aware_long_yaal=_seconds(values.get("LongYAAL (CA)", math.nan)),
    )


def _seconds(milliseconds: float) -> float | None:
    return None if math.isnan(milliseconds) else milliseconds / MILLISECONDS
