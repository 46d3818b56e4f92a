"""Decoding of one cell: options tuned on dev, then the test set; experiment_cell.py runs it as its own process.

    python examples/evidence/experiment_decoding.py JOB.json RESULT.json

One process serves all settings, since importing fairseq takes longer than decoding a small test set.
"""

import io
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from experiment_grid import Stream
from fairseq import options
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq_cli.generate import _main

import fairseq_hmst.plugin  # noqa: F401  (registers task and models)
from fairseq_hmst.score.corpus import CorpusScore, score_output
from fairseq_hmst.score.texts import References

SEARCH_OPTIONS = ("beam", "lenpen", "ctc-decode-weight")
Setting = dict[str, str | float]  # `checkpoint` and options of the search


class DecodingJob(TypedDict):
    """JOB.json.

    Attributes:
        data_bin: its folder.
        checkpoints: the candidates.
        decoding: option of the search -> values to try; the first is where the tuning begins.
        score: streams to decode, the first also on dev.
        options: of fairseq-generate, for every decoding.
    """

    data_bin: str
    checkpoints: list[str]
    decoding: dict[str, list[float]]
    score: list[Stream]
    options: list[str]


class Tried(TypedDict):
    """A setting that was tried on dev, with its BLEU and brevity penalty."""

    setting: Setting
    bleu: float
    bp: float


class Decoded(TypedDict):
    """RESULT.json: the best setting and all that were tried; scores and commands of the test set come beside them."""

    decoding: Setting
    dev: list[Tried]


def generate(job: DecodingJob, setting: Setting, split: str, stream: Stream, output: Path) -> CorpusScore:
    """Decode as `fairseq-generate` does, write what it prints to `output`, and score it."""
    parser = options.get_generation_parser()
    arguments = options.parse_args_and_arch(parser, generate_options(job, setting, split, stream))
    text = io.StringIO()
    _main(convert_namespace_to_omegaconf(arguments), text)
    output.write_text(text.getvalue(), encoding="utf-8")
    references = References.of_data_bin(Path(job["data_bin"]), split, stream)
    return score_output(output, references)


def generate_options(job: DecodingJob, setting: Setting, split: str, stream: Stream) -> list[str]:
    """Command line of `fairseq-generate` for one setting."""
    where = ["--path", str(setting["checkpoint"]), "--gen-subset", split, "--eval-stream", stream]
    search = [f"--{name}={setting[name]}" for name in SEARCH_OPTIONS if name in setting]
    return [job["data_bin"], "--task", "hmst_translation", *where, *search, *job["options"]]


def tune(job: DecodingJob, folder: Path) -> Decoded:
    """Find the best setting on dev, by BLEU, changing one thing after the other."""
    values: dict[str, Sequence[str | float]] = {"checkpoint": job["checkpoints"], **job["decoding"]}
    best: Setting = {name: known[0] for name, known in values.items()}
    tried: list[Tried] = []

    def bleu_of(setting: Setting) -> float:
        for entry in tried:
            if entry["setting"] == setting:
                return entry["bleu"]
        found = generate(job, setting, "valid", job["score"][0], folder / "dev.txt")
        tried.append({"setting": dict(setting), "bleu": found.bleu, "bp": found.bp})
        return found.bleu

    for name, known in values.items():
        best = max(({**best, name: value} for value in known), key=bleu_of)
    return {"decoding": best, "dev": tried}


def main() -> None:
    job_path, result_path = Path(sys.argv[1]), Path(sys.argv[2])
    job: DecodingJob = json.loads(job_path.read_text(encoding="utf-8"))
    folder = result_path.parent
    tuned = tune(job, folder)
    result: dict[str, object] = dict(tuned)
    for stream in job["score"]:
        result[stream] = generate(job, tuned["decoding"], "test", stream, folder / f"{stream}.txt").as_dict()
        options_of_test = generate_options(job, tuned["decoding"], "test", stream)
        result[f"{stream}_command"] = shlex.join(["fairseq-generate", *options_of_test, "--user-dir", "fairseq_hmst"])
    result_path.write_text(json.dumps(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
