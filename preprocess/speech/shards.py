"""The audio of a manifest in shards of some minutes: each is worked on as a whole, by any worker, and only once.

The result of a shard, a few arrays, is a file in `.NAME.work` beside the output NAME, written whole. Its name is a
hash of the work and of the audio (path, size, time of change, speed). So a run that was stopped goes on where it
stopped, with results that do not depend on who made them, and where the manifest, the audio or the options have
changed, just what is touched by that is made again. Shards depend on nothing but the manifest, the speeds and the
lengths of the audio. Rows whose length no encoder takes are found, all of them, before any audio is decoded; what was
looked for in files is kept beside the results.
"""

import hashlib
import itertools
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import AudioError, PreprocessError
from ..files.cards.card import DATA_VERSION
from ..files.faults import Fault, FaultOptions, report_faults, write_faults
from ..files.outputs.replacing import list_path_of_run
from ..files.program.options import option
from ..files.speeds import ONE_SPEED
from ..files.whole import whole_file
from .audio import LengthLimits
from .devices import check_device
from .frames import AudioSpan, read_spans
from .length_memory import LengthMemory, stamp_of
from .lengths import MeasuredSpan, measure_spans
from .shard_progress import SecondsDone, shown_progress
from .workers import Workers

logger = logging.getLogger(__name__)

LENGTHS = "lengths"  # in the folder of results
SHARD_SECONDS = 600.0  # at most, but for a single longer span

Arrays = Mapping[str, np.ndarray]
# A task makes the arrays of some spans. Two of them are OF_SPANS: `faults`, (S,) str: why a span cannot be used, "" if
# it can; and `cancelled`, (S,) bool: its channels cancel each other, and what is encoded is nearly silent. It tells the
# function that it is given of seconds that are done. It is sent to workers by pickle, and its repr says all that its
# results depend on beside the audio.
OF_SPANS = ("faults", "cancelled")
Task = Callable[[Sequence[AudioSpan], Callable[[float], None]], Arrays]


@dataclass(frozen=True)
class Shard:
    """Consecutive spans of a manifest and their length in seconds."""

    spans: list[AudioSpan]
    seconds: float


@dataclass(frozen=True)
class AudioOptions:
    """Options of every stage that goes over audio."""

    device: str = option(
        "torch device of encoder and k-means; cuda: each of --workers has a GPU in turn; cuda:1: all have that one",
        "cpu",
    )
    workers: Workers = field(default_factory=Workers)
    faults: FaultOptions = field(default_factory=FaultOptions)


class Shards:
    """The shards of a manifest and their results: `compute`, then `results`, and `remove` when the output is whole."""

    def __init__(
        self,
        manifest: Path,
        out: Path,
        options: AudioOptions,
        limits: LengthLimits,
        speeds: Sequence[float] = ONE_SPEED,
    ) -> None:
        """Read the manifest of a stage, and find rows whose length cannot be encoded.

        Args:
            manifest: whose audio is meant.
            out: the stage's output, beside which results are kept.
            options: of the stage.
            limits: of the encoder.
            speeds: of each stretch of audio; a row is there once at each, and counts as so many.

        Raises:
            ManifestError: see `read_spans`.
            AudioError: the length of rows lies outside the limits, and faults are not skipped; errors.tsv lists all.
            PreprocessError: no row has audio, more rows than --max-errors lie outside the limits, or this machine,
                where it does the work, lacks the device.
        """
        self._out, self.options = Path(out), options
        check_device(self.own_device)
        spans = read_spans(manifest, check_audio=not options.faults.skips, speeds=speeds)
        if not spans:
            raise PreprocessError("no row has audio", place=manifest)
        self._num_rows = sum(len(span.ids) for span in spans)
        self._folder = Path(os.path.abspath(self._out.with_name(f".{self._out.name}.work")))
        with LengthMemory.kept_in(self._folder / LENGTHS) as memory:
            measured = measure_spans(spans, limits, memory)
        self.faults = [fault for item in measured for fault in item.as_faults()]  # after `compute` all there are
        self._check_lengths(measured)
        self.spans = [item for item in measured if item.fault is None]
        self._paths: list[Path] = []
        self.cancelled: list[str] = []  # after `compute`, ids of the rows whose channels cancel each other

    @property
    def seconds(self) -> float:
        """Seconds of audio."""
        return sum(item.seconds for item in self.spans)

    def keep(self, spans: Sequence[MeasuredSpan]) -> None:
        """Leave out all but these spans; call it before `compute`."""
        self.spans = list(spans)

    @property
    def is_serial(self) -> bool:
        """Whether this process alone does the work."""
        return self.options.workers == Workers()

    @property
    def own_device(self) -> str:
        """The device for what this process does itself: --device says which one the workers of a cluster have."""
        return self.options.device if self.options.workers.backend == "loky" else "cpu"

    def compute(self, task: Task) -> None:
        """Let workers make the results that are missing, and write errors.tsv.

        Raises:
            AudioError, ExtractorError: a span cannot be used, and the task does not skip it.
            PreprocessError: more spans than --max-errors cannot be used, or a worker died.
            OutputError: results cannot be written; what is finished is kept.
        """
        stamps: dict[Path, str] = {}
        self._shards = list(_cut(self.spans))
        self._paths = [self._folder / f"{_digest(task, shard, stamps)}.npz" for shard in self._shards]
        by_path = dict(zip(self._paths, self._shards, strict=True))
        missing = [(task, shard, path) for path, shard in by_path.items() if not _is_done(path, shard)]
        lengths = {path: shard.seconds for path, shard in by_path.items()}
        with shown_progress(f"{self._out.name}: audio", lengths):
            for _ in self.options.workers.run(_make, missing, own_gpus=self.options.device == "cuda"):
                pass
        self.faults += self._find_faults()
        report_faults(self._out, self.faults, self._num_rows, self.options.faults)
        self._find_cancelled()

    def results(self) -> Iterator[tuple[list[AudioSpan], Arrays]]:
        """Each shard's spans and arrays, in the order of the manifest; an array is read when it is asked for."""
        for shard, path in zip(self._shards, self._paths, strict=True):
            with np.load(path, allow_pickle=False) as arrays:
                yield shard.spans, arrays

    def remove(self) -> None:
        """Delete the results; what was made of them stands elsewhere now."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _check_lengths(self, measured: Sequence[MeasuredSpan]) -> None:
        first = next((item for item in measured if item.fault is not None), None)
        if first is None or first.fault is None:
            return
        faults = self.options.faults
        if not faults.skips:
            error = first.fault.at(*first.span.places)
            if len(self.faults) > 1:
                path = list_path_of_run(self._out, "errors")
                write_faults(path, self.faults)
                listed = f"{path} lists all {len(self.faults)} rows at fault"
                error = AudioError.of(error, advice="; ".join(filter(None, [error.advice, listed])))
            raise error from first.fault
        if len(self.faults) > faults.max_faults(self._num_rows):
            report_faults(self._out, self.faults, self._num_rows, faults)

    def _find_faults(self) -> Iterator[Fault]:
        for spans, arrays in self.results():
            for span, reason in zip(spans, arrays["faults"], strict=True):
                if reason:
                    yield from (Fault(*row, str(reason)) for row in zip(span.ids, span.locations, strict=True))

    def _find_cancelled(self) -> None:
        found: list[AudioSpan] = []
        for spans, arrays in self.results():
            found += itertools.compress(spans, arrays["cancelled"])
        self.cancelled = [identifier for span in found for identifier in span.ids]
        if found:
            location, utterance = found[0].places
            logger.warning(
                "%s: the channels of %d rows cancel each other, so that their average, which is encoded, is nearly "
                "silent (first: %s: %s, %s); take one of the channels, such as by `sox IN OUT remix 1`",
                self._out.name,
                len({place for span in found for place in span.locations}),
                location,
                utterance,
                found[0].audio,
            )


def _make(task: Task, shard: Shard, path: Path) -> None:
    """Write the result of a shard, in a worker."""
    with SecondsDone(path) as done:
        arrays = task(shard.spans, done.add)
    # A worker may have been given up for dead and still write what another makes a second time.
    with whole_file(path, writer=uuid.uuid4().hex) as temporary, open(temporary, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _is_done(path: Path, shard: Shard) -> bool:
    """Whether a shard has a result, read to its end against its checksums; one that is damaged is removed."""
    if not path.exists():
        return False
    try:
        with np.load(path, allow_pickle=False) as arrays:
            is_whole = {len(arrays[name]) for name in arrays.files if name in OF_SPANS} == {len(shard.spans)}
            is_whole &= arrays.zip.testzip() is None
    except Exception:  # zipfile and numpy raise whatever the bytes lead them to
        is_whole = False
    if not is_whole:
        logger.warning("%s was damaged: what it held is made again", path)
        path.unlink()
    return is_whole


def _cut(spans: Sequence[MeasuredSpan]) -> Iterator[Shard]:
    batch: list[AudioSpan] = []
    total = 0.0
    for item in spans:
        if batch and total + item.seconds > SHARD_SECONDS:
            yield Shard(batch, total)
            batch, total = [], 0.0
        batch.append(item.span)
        total += item.seconds
    yield Shard(batch, total)


def _digest(task: Task, shard: Shard, stamps: dict[Path, str]) -> str:
    digest = hashlib.sha256(f"{DATA_VERSION} {OF_SPANS} {task!r}".encode())
    for span in shard.spans:
        if span.audio not in stamps:
            stamps[span.audio] = stamp_of(span.audio)
        what = (span.ids[0], span.offset, span.duration, stamps[span.audio])
        # nothing is added at speed 1, where results have the names that they always had
        digest.update(repr(what if span.speed == 1 else (*what, span.speed)).encode())
    return digest.hexdigest()[:32]
