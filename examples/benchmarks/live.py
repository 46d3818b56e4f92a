"""Time a chunk and resident memory of live translation, minute by minute of an endless stream.

    python examples/benchmarks/live.py --model examples/prompts/out/ctc_attention/model \
        --corpus examples/prompts/out/corpus
    python examples/benchmarks/live.py --model MODEL --corpus CORPUS --minutes 5 --sound silence

The stream is made while it is heard: announcements of the prompts example in random order, with pauses of 0.2 to 2 s
between them, or silence. A chunk is the sound from one decision point to the next; one thread computes. The last lines
compare the second tenth of the stream (the first one warms up) with the last tenth.
"""

import argparse
import csv
import itertools
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from peak_memory import resident_bytes

from fairseq_hmst.live.options import LiveOptions
from fairseq_hmst.live.translator import LiveTranslator
from fairseq_hmst.translate.machine import MachineOptions
from fairseq_hmst.translate.open_model import OpenModel
from preprocess.errors import UserError

SAMPLE_RATE = 8000  # Hz, of the announcements
PAUSE_SECONDS = (0.2, 2.0)
SPEECH, SILENCE = "speech", "silence"


@dataclass(frozen=True)
class Minute:
    """Figures of a minute of sound.

    Attributes:
        milliseconds: of each chunk.
        megabytes: resident at its end.
        num_words: that became certain.
    """

    milliseconds: np.ndarray
    megabytes: float
    num_words: int


def speech(corpus: Path, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Endless int16 samples: announcements drawn one after the other, and pauses."""
    with (corpus / "announcements.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        paths = [corpus / row["audio"] for row in rows if row["split"] == "test" and row["audio"]]
    while True:
        yield soundfile.read(paths[rng.integers(len(paths))], dtype="int16")[0]
        yield np.zeros(round(rng.uniform(*PAUSE_SECONDS) * SAMPLE_RATE), np.int16)


def silence() -> Iterator[np.ndarray]:
    """Endless zeros."""
    return itertools.repeat(np.zeros(SAMPLE_RATE, np.int16))


def chunks(sound: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The same samples in pieces of `size`."""
    rest = np.zeros(0, np.int16)
    for samples in sound:
        rest = np.concatenate([rest, samples])
        for _ in range(len(rest) // size):
            yield rest[:size]
            rest = rest[size:]


def measure(translator: LiveTranslator, sound: Iterator[np.ndarray], minutes: int) -> Iterator[Minute]:
    """Translate so many minutes of the sound."""
    seconds = translator.options.chunk
    pieces = chunks(sound, round(seconds * SAMPLE_RATE))
    for _ in range(minutes):
        updates = [translator.feed(piece) for piece in itertools.islice(pieces, round(60 / seconds))]
        milliseconds = np.array([1000 * update.spent_seconds for update in updates])
        num_words = len("".join(update.committed for update in updates).split())
        yield Minute(milliseconds, resident_bytes() / 1e6, num_words)


def row(name: str, number: str, minutes: list[Minute]) -> str:
    """A row of the table; of several minutes the last one's memory."""
    milliseconds = np.concatenate([minute.milliseconds for minute in minutes])
    times = [np.median(milliseconds), np.percentile(milliseconds, 95), milliseconds.max()]
    cells = [name, number, str(sum(minute.num_words for minute in minutes))]
    cells += [f"{time:.1f}" for time in times] + [f"{minutes[-1].megabytes:.0f}"]
    return f"| {' | '.join(cells)} |"


def report(name: str, translator: LiveTranslator, sound: Iterator[np.ndarray], number: int) -> list[str]:
    """Print a row a minute; rows of the second and the last tenth."""
    minutes: list[Minute] = []
    for minute in measure(translator, sound, number):
        minutes.append(minute)
        print(row(name, str(len(minutes)), [minute]), flush=True)
    translator.finish()
    tenth = max(1, number // 10)
    spans = [(min(tenth, number - tenth), min(2 * tenth, number)), (number - tenth, number)]
    return [row(name, f"{begin + 1} to {end}", minutes[begin:end]) for begin, end in spans]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of announcements.tsv")
    parser.add_argument("--minutes", type=int, default=60, help="of each kind of sound; default %(default)s")
    parser.add_argument("--sound", nargs="+", choices=(SPEECH, SILENCE), default=(SPEECH, SILENCE))
    parser.add_argument("--chunk", type=float, default=0.5, help="seconds; default %(default)s")
    arguments = parser.parse_args()
    logging.getLogger().setLevel(logging.WARNING)
    try:
        model = OpenModel.open(arguments.model, MachineOptions("cpu", threads=1), None)
        options = LiveOptions(chunk_seconds=arguments.chunk, sampling_rate=SAMPLE_RATE)
        print("| sound | minute | words | chunk, median ms | 95 % | longest | resident, MB |\n" + "|---" * 7 + "|")
        last = []
        for name in arguments.sound:
            sound = speech(arguments.corpus, np.random.default_rng(0)) if name == SPEECH else silence()
            last += report(name, LiveTranslator(model, options), sound, arguments.minutes)
        print("\n".join(last))
    except (UserError, OSError) as error:
        sys.exit(f"live.py: {error}")


if __name__ == "__main__":
    main()
