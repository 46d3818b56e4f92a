"""COMET scores, computed in an environment of their own.

unbabel-comet needs other versions of numpy and transformers.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from preprocess.files.program.options import option

from .errors import ScoreError

DEFAULT_MODEL = "Unbabel/wmt22-comet-da"
WORKER = Path(__file__).with_name("comet_worker.py")


@dataclass(frozen=True)
class CometOptions:
    """Options of COMET; without an interpreter it is left out."""

    python: str | None = option(
        "interpreter of an environment with unbabel-comet: adds COMET", None, flag="comet-python", metavar="PYTHON"
    )
    model: str | None = option(
        f"hub name or checkpoint; default: {DEFAULT_MODEL}", None, flag="comet-model", metavar="NAME"
    )
    source: Path | None = option("one source sentence a line, which COMET reads", None, metavar="FILE")


def comet_scores(
    python: str, model: str, sources: Sequence[str], systems: Mapping[str, Sequence[str]], references: Sequence[str]
) -> dict[str, list[float]]:
    """The score of each sentence of each system; their mean is the system's.

    Args:
        python: interpreter of an environment in which unbabel-comet is installed.
        model: name on the Hugging Face hub, or a checkpoint file.
        sources: parallel to the references.
        systems: name -> hypotheses.
        references: parallel to each system's hypotheses.

    Raises:
        ScoreError: the interpreter cannot be run, cannot import comet, or COMET fails.
    """
    samples = [
        {"src": source, "mt": hypothesis, "ref": reference}
        for hypotheses in systems.values()
        for source, hypothesis, reference in zip(sources, hypotheses, references, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        task, result = Path(folder, "task.json"), Path(folder, "result.json")
        task.write_text(json.dumps({"model": model, "samples": samples}), encoding="utf-8")
        _run(python, task, result)
        found = json.loads(result.read_text(encoding="utf-8"))
    if "error" in found:
        raise ScoreError(found["error"], place=f"COMET by {python}")
    size = len(references)
    return {name: found["scores"][number * size : (number + 1) * size] for number, name in enumerate(systems)}


def _run(python: str, task: Path, result: Path) -> None:
    try:
        status = subprocess.run([python, str(WORKER), str(task), str(result)], check=False).returncode
    except OSError as error:
        raise ScoreError(f"--comet-python {python} cannot be run: {error.strerror}") from error
    if not result.is_file():
        raise ScoreError(f"COMET by {python} failed with exit status {status}; see what it printed above")
