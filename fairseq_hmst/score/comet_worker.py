"""COMET itself: `comet_worker.py TASK.json RESULT.json`, run by the interpreter of another environment.

Imports nothing of this package, and the Python there may be older than ours.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Write {"scores": [...]}, or {"error": "..."} where COMET cannot be imported."""
    task, result = map(Path, sys.argv[1:])
    here = Path(__file__).resolve().parent  # Python puts it first on the path, and our comet.py is not theirs
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != here]
    sys.stdout = sys.stderr  # COMET prints there; the standard output is for our table
    try:
        found: dict[str, object] = {"scores": score(**json.loads(task.read_text(encoding="utf-8")))}
    except ImportError as error:
        advice = f"install it there by {sys.executable} -m pip install unbabel-comet"
        found = {"error": f"unbabel-comet cannot be imported ({error}); {advice}"}
    result.write_text(json.dumps(found), encoding="utf-8")


def score(model: str, samples: list[dict[str, str]]) -> list[float]:
    """COMET of each sample, by a model's name on the hub or a checkpoint file."""
    from comet import download_model, load_from_checkpoint
    from torch.cuda import device_count

    checkpoint = model if Path(model).is_file() else download_model(model)
    prediction = load_from_checkpoint(checkpoint).predict(samples, gpus=min(1, device_count()))
    return [float(value) for value in prediction.scores]


if __name__ == "__main__":
    main()
