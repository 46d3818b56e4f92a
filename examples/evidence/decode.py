"""Decoding of one cell: options tuned on dev, then the test set; run by cell.py as a process of its own.

    python examples/evidence/decode.py JOB.json RESULT.json

One process serves all settings, since importing fairseq takes longer than decoding a small test set.
"""

import io
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from fairseq import options
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq_cli.generate import _main

import fairseq_hmst  # noqa: F401  (registers task and models)
from fairseq_hmst.score.corpus import CorpusScore, score_corpus
from fairseq_hmst.score.texts import References, read_hypotheses

SETTINGS = ("beam", "lenpen", "ctc-decode-weight")


def generate(job: dict[str, Any], setting: dict[str, Any], split: str, stream: str, output: Path) -> CorpusScore:
    """What `fairseq-generate` does with generate_options, and the score of what it wrote to `output`."""
    parser = options.get_generation_parser()
    arguments = options.parse_args_and_arch(parser, generate_options(job, setting, split, stream))
    text = io.StringIO()
    _main(convert_namespace_to_omegaconf(arguments), text)
    output.write_text(text.getvalue(), encoding="utf-8")
    references = References.of_data_bin(Path(job["data_bin"]), split, stream)
    return score_corpus(read_hypotheses(output, references), references.lines)


def generate_options(job: dict[str, Any], setting: dict[str, Any], split: str, stream: str) -> list[str]:
    """The command line behind `fairseq-generate`."""
    where = ["--path", setting["checkpoint"], "--gen-subset", split, "--eval-stream", stream]
    search = [f"--{name}={setting[name]}" for name in SETTINGS if name in setting]
    return [job["data_bin"], "--task", "hmst_translation", *where, *search, *job["options"]]


def tune(job: dict[str, Any], folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The best setting on dev, by BLEU, changing one thing after the other; and all that were tried."""
    grid = {"checkpoint": job["checkpoints"], **job["decoding"]}
    best = {name: values[0] for name, values in grid.items()}
    tried: list[dict[str, Any]] = []

    def score(setting: dict[str, Any]) -> float:
        for entry in tried:
            if entry["setting"] == setting:
                return entry["bleu"]
        found = generate(job, setting, "valid", job["score"][0], folder / "dev.txt")
        tried.append({"setting": dict(setting), "bleu": found.bleu, "bp": found.bp})
        return found.bleu

    for name, values in grid.items():
        best = max(({**best, name: value} for value in values), key=score)
    return best, tried


def main() -> None:
    job_path, result_path = Path(sys.argv[1]), Path(sys.argv[2])
    job = json.loads(job_path.read_text(encoding="utf-8"))
    folder = result_path.parent
    best, tried = tune(job, folder)
    result: dict[str, Any] = {"decoding": best, "dev": tried}
    for stream in job["score"]:
        result[stream] = generate(job, best, "test", stream, folder / f"{stream}.txt").as_dict()
        command = ["fairseq-generate", *generate_options(job, best, "test", stream), "--user-dir", "fairseq_hmst"]
        result[f"{stream}_command"] = shlex.join(command)
    result_path.write_text(json.dumps(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
