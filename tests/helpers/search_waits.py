"""How often each search makes the host wait for a GPU, counted on the GPU that is not there.

    python tests/helpers/search_waits.py

prints the table of docs/decoding.md.
"""

import contextlib
import copy
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch
from second_device import second_device
from small_decoders import Decoder, make_decoder
from toy import batch_of, make_toy_data_bin

from fairseq_hmst.data.labels import BLANK_INDEX
from fairseq_hmst.generators.followed.table import ATTENTION, CTC, JOINT, TRANSDUCER
from fairseq_hmst.generators.language_ensemble import LanguageEnsemble
from fairseq_hmst.generators.transducer.transducer_scorer import TransducerScorer

HEADER = ("search", "step", "waits a step", "fairseq's", "waits a batch", "fairseq's")
STEPS = {ATTENTION: "token", JOINT: "token", CTC: "encoder step", TRANSDUCER: "symbol, blanks included"}
BEAMS = (1, 3)
TOKENS = {ATTENTION: (2, 4), JOINT: (2, 4), TRANSDUCER: (4, 12)}  # of the two runs


@dataclass
class Waits:
    """Waits of this package and of fairseq in one search of a batch, and its steps."""

    steps: int
    own: int
    fairseqs: int


def count_waits(decoder: Decoder, options: Mapping[str, object]) -> Waits:
    """Decode a batch on the GPU that is not there."""
    with second_device() as gpu, counted_steps(decoder) as steps:
        on_gpu = decoder.on("cuda")
        gpu.reset()
        on_gpu.decode(**options)
        places = Counter(gpu.waits)
    fairseqs = sum(count for place, count in places.items() if place.startswith("fairseq/"))
    return Waits(steps["steps"], places.total() - fairseqs, fairseqs)


@contextlib.contextmanager
def counted_steps(decoder: Decoder) -> Iterator[Counter[str]]:
    """Counts the steps of the searches in the block."""
    steps: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        for place in ((LanguageEnsemble, "forward_decoder"), (TransducerScorer, "scores")):
            stack.enter_context(mock.patch.object(*place, _counting(*place, steps)))
        yield steps
    steps["steps"] = steps["steps"] or int(decoder.batch["net_input"]["src_lengths"].max())


def _counting(owner: type, name: str, steps: Counter[str]):
    function = getattr(owner, name)

    def call(*args: object, **kwargs: object) -> object:
        steps["steps"] += 1
        return function(*args, **kwargs)

    return call


def two_runs(search: str, beam: int, decoder: Decoder) -> tuple[Waits, Waits]:
    """A search of few steps and one of many, of one utterance; what it waits for a step is the difference."""
    if search == CTC:
        lengths = [(len(decoder.task.dataset("valid")[row]["source"]), row) for row in range(21)]
        rows = min(lengths)[1], max(lengths)[1]
        batches = [batch_of(decoder.task, [row]) for row in rows]
        runs = [(Decoder(decoder.task, decoder.model, batch), {"beam": beam}) for batch in batches]
    else:
        endless = endless_decoder(search, decoder)
        runs = [(endless, {"beam": beam, "max_len_b": length}) for length in TOKENS[search]]
        if search != TRANSDUCER:
            runs = [(each, {**options, "min_len": options["max_len_b"]}) for each, options in runs]
    few, many = (count_waits(*run) for run in runs)
    return few, many


def endless_decoder(search: str, decoder: Decoder) -> Decoder:
    """One whose outputs are as long as they may be, of one utterance."""
    model = copy.deepcopy(decoder.model)
    if search == TRANSDUCER:
        with torch.no_grad():
            model.joiner.output.bias[BLANK_INDEX] -= 50
    return Decoder(decoder.task, model, batch_of(decoder.task, [0]))


def table_row(search: str, beam: int, few: Waits, many: Waits) -> tuple[str, ...]:
    """Columns of `HEADER`."""
    own, fairseqs = (
        (getattr(many, name) - getattr(few, name)) / (many.steps - few.steps) for name in ("own", "fairseqs")
    )
    rest = [few.own - own * few.steps, few.fairseqs - fairseqs * few.steps]
    numbers = (f"{own:.3g}", f"{fairseqs:.3g}", *(f"{number:.0f}" for number in rest))
    return (f"{search}, beam {beam}", STEPS[search], *numbers)


def waits_table(data_bin: Path) -> list[tuple[str, ...]]:
    """Rows of the table, for models of a data-bin of the toy corpus."""
    rows = []
    for search in STEPS:
        decoder = make_decoder(search, data_bin)
        rows += [table_row(search, beam, *two_runs(search, beam, decoder)) for beam in BEAMS]
    return rows


def markdown(rows: list[tuple[str, ...]]) -> str:
    """The table as documents have it."""
    lines = [HEADER, ("---",) * len(HEADER), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("| --- ", "|---").replace("--- |", "---|") for line in lines)


if __name__ == "__main__":
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        print(markdown(waits_table(make_toy_data_bin(Path(folder)))))
