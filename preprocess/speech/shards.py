"""The audio of a manifest in shards of some minutes: each is worked on as a whole, by any worker, and only once.

The result of a shard, a few arrays, is a file in `.NAME.work` beside the output NAME, written whole. Its name is a
hash of the work and of the audio (path, size, time of change). So a run that was stopped goes on where it stopped,
with results that do not depend on who made them, and where the manifest, the audio or the options have changed,
just what is touched by that is made again. Shards depend on nothing but the manifest and the lengths of its audio.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import AudioError, PreprocessError
from ..files.cards.card import DATA_VERSION
from ..files.faults import Fault, FaultOptions, report_faults
from ..files.options import option
from ..files.whole import whole_file
from .audio import check_audio
from .frames import AudioSpan, read_spans
from .workers import Workers

SHARD_SECONDS = 600.0  # at most, but for a single longer span

Arrays = Mapping[str, np.ndarray]
# A task makes the arrays of some spans; one of them is `faults`, (S,) str: why a span cannot be used, "" if it
# can. It is sent to workers by pickle, and its repr says all that its results depend on beside the audio.
Task = Callable[[Sequence[AudioSpan]], Arrays]


@dataclass(frozen=True)
class Shard:
    """Consecutive spans of a manifest and their length in seconds."""

    spans: list[AudioSpan]
    seconds: float


@dataclass(frozen=True)
class AudioOptions:
    """Options of every stage that goes over audio."""

    device: str = option("torch device of the encoder", "cpu")
    workers: Workers = field(default_factory=Workers)
    faults: FaultOptions = field(default_factory=FaultOptions)


class Shards:
    """The shards of a manifest and their results: `compute`, then `results`, and `remove` when the output is whole."""

    def __init__(self, manifest: Path, out: Path, options: AudioOptions) -> None:
        """Read the manifest of a stage.

        Args:
            manifest: whose audio is meant.
            out: the stage's output, beside which results are kept.
            options: of the stage.

        Raises:
            ManifestError: see `read_manifest`.
            PreprocessError: no row has audio.
        """
        self._out, self.options = Path(out), options
        spans = read_spans(manifest, check_audio=not options.faults.skips)
        if not spans:
            raise PreprocessError("no row has audio", place=manifest)
        self._shards = list(_cut(spans))
        self._paths: list[Path] = []
        self.seconds = sum(shard.seconds for shard in self._shards)  # of audio
        self.faults: list[Fault] = []  # after `compute`

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
        from tqdm import tqdm

        folder = Path(os.path.abspath(self._out.with_name(f".{self._out.name}.work")))
        stamps: dict[Path, str] = {}
        self._paths = [folder / f"{_digest(task, shard, stamps)}.npz" for shard in self._shards]
        missing = [
            (task, shard, path) for shard, path in zip(self._shards, self._paths, strict=True) if not path.is_file()
        ]
        total = sum(round(shard.seconds) for shard in self._shards)
        done = total - sum(round(shard.seconds) for _, shard, _ in missing)
        with tqdm(desc=f"{self._out.name}: audio", total=total, initial=done, unit="s") as progress:
            for seconds in self.options.workers.run(_make, missing):
                progress.update(round(seconds))
        self.faults = list(self._find_faults())
        num_rows = sum(len(span.ids) for shard in self._shards for span in shard.spans)
        report_faults(self._out, self.faults, num_rows, self.options.faults)

    def results(self) -> Iterator[tuple[list[AudioSpan], Arrays]]:
        """Each shard's spans and arrays, in the order of the manifest; an array is read when it is asked for."""
        for shard, path in zip(self._shards, self._paths, strict=True):
            with np.load(path, allow_pickle=False) as arrays:
                yield shard.spans, arrays

    def remove(self) -> None:
        """Delete the results; what was made of them stands elsewhere now."""
        for folder in {path.parent for path in self._paths}:
            shutil.rmtree(folder, ignore_errors=True)

    def _find_faults(self) -> Iterator[Fault]:
        for spans, arrays in self.results():
            for span, reason in zip(spans, arrays["faults"], strict=True):
                if reason:
                    yield from (Fault(*row, str(reason)) for row in zip(span.ids, span.locations, strict=True))


def _make(task: Task, shard: Shard, path: Path) -> float:
    """Write the result of a shard, in a worker; return its seconds."""
    arrays = task(shard.spans)
    # A worker may have been given up for dead and still write what another makes a second time.
    with whole_file(path, writer=uuid.uuid4().hex) as temporary, open(temporary, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return shard.seconds


def _cut(spans: Sequence[AudioSpan]) -> Iterator[Shard]:
    batch: list[AudioSpan] = []
    total = 0.0
    for span in spans:
        seconds = _measure(span)
        if batch and total + seconds > SHARD_SECONDS:
            yield Shard(batch, total)
            batch, total = [], 0.0
        batch.append(span)
        total += seconds
    yield Shard(batch, total)


def _measure(span: AudioSpan) -> float:
    """Seconds; 0 if the span cannot be used."""
    try:
        return span.duration or check_audio(span.audio, span.offset)
    except AudioError:
        return 0.0


def _digest(task: Task, shard: Shard, stamps: dict[Path, str]) -> str:
    digest = hashlib.sha256(f"{DATA_VERSION} {task!r}".encode())
    for span in shard.spans:
        if span.audio not in stamps:
            stamps[span.audio] = _stamp(span.audio)
        what = (span.ids[0], span.offset, span.duration, stamps[span.audio])
        digest.update(repr(what).encode())
    return digest.hexdigest()[:32]


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return f"{path} missing"
    return f"{path} {status.st_size} {status.st_mtime_ns}"
