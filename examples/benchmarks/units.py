"""Hours of audio that an hour of encoding takes in: the plain way and `preprocess`, side by side.

    python examples/benchmarks/units.py [--encoder FOLDER] [--layer 21]
    python examples/benchmarks/units.py --device cuda --seconds 1800 --precision float32 tf32 bf16

The plain way is that of most recipes: transformers' whole model, one utterance at a time, output_hidden_states=True.
Without --encoder, a WavLM of the shape of the large one is made, with random weights. Utterances of 2 to 15 s are
joined from the recordings of the prompts example. The ways take turns; memory is what the first round of each adds to
the loaded models (resident set; on a GPU torch's allocator). Units are those of a k-means on the frames of the plain
way in the first precision. `preprocess` chooses its precision by itself, but not here. Linux only.
"""

import argparse
import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from made_up_speech import join_utterances, save_random_wavlm
from peak_memory import peak_bytes, reset_peak
from results import Results, add_options
from stopwatch import timed

from preprocess.clustering.lloyd import fit_centroids
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.speech.audio import SAMPLE_RATE, load_audio
from preprocess.speech.extractors import load_extractor, waveform
from preprocess.speech.extractors.faster.exchange import float32_products
from preprocess.speech.frames import AudioSpan, extract_frames

Encoder = Callable[[list[AudioSpan]], list[np.ndarray]]  # frames (T, D) of spans, in order


def load_plain(folder: str, layer: int, device: str) -> Encoder:
    """Encode as the first lines of a notebook would."""
    from transformers import AutoFeatureExtractor, AutoModel

    preprocessor = AutoFeatureExtractor.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval().to(device)

    def frames(span: AudioSpan) -> np.ndarray:
        inputs = preprocessor(load_audio(span.audio), sampling_rate=SAMPLE_RATE, return_tensors="pt")
        with torch.inference_mode():
            output = model(inputs.input_values.to(device), output_hidden_states=True)
        return output.hidden_states[layer][0].float().cpu().numpy()

    return lambda spans: [frames(span) for span in spans]


def load_ours(folder: str, layer: int, device: str) -> Encoder:
    """Encode as the stages of `preprocess` do."""
    extractor = load_extractor(folder, layer, device)

    def frames(spans: list[AudioSpan]) -> list[np.ndarray]:
        with patch.object(waveform, "float32_products", contextlib.nullcontext):  # the precision is that of the caller
            found = {item.position: item.frames for item in extract_frames(spans, extractor, skip_faults=False)}
        return [found[position] for position in range(len(spans))]

    return frames


PRECISIONS = ("float32", "tf32", "bf16")
WAYS = {"plain": load_plain, "preprocess": load_ours}


@contextlib.contextmanager
def computed_in(precision: str, device: str) -> Iterator[None]:
    """Matrix products and convolutions in this precision; bf16 is torch's autocast."""
    is_bf16 = precision == "bf16"
    with (
        float32_products("high" if precision == "tf32" else "highest"),
        torch.autocast(device, torch.bfloat16, enabled=is_bf16),
    ):
        yield


class Measured(NamedTuple):
    """Frames (F, D) of all spans, and what they took: seconds, and bytes more than before."""

    frames: np.ndarray
    seconds: float
    bytes: int


def measure(encode: Encoder, spans: list[AudioSpan], device: str) -> Measured:
    """Encode all spans once."""
    reset_peak(device)
    before = peak_bytes(device)
    frames, seconds = timed(lambda: encode(spans), device)
    return Measured(np.concatenate(frames), seconds, peak_bytes(device) - before)


def measure_all(folder: str, spans: list[AudioSpan], arguments: argparse.Namespace) -> dict[str, list[Measured]]:
    """Measure all ways in all precisions in turn; the rounds of each."""
    encoders = {way: load(folder, arguments.layer, arguments.device) for way, load in WAYS.items()}
    rounds: dict[str, list[Measured]] = {}
    for number in range(arguments.rounds + 1):
        for precision in arguments.precision:
            for way, encode in encoders.items():
                with computed_in(precision, arguments.device):
                    if number == 0:
                        encode(spans[:1])
                    else:
                        rounds.setdefault(f"{way}, {precision}", []).append(measure(encode, spans, arguments.device))
    return rounds


def report(rounds: dict[str, list[Measured]], frame_shift: float, clusters: int, results: Results) -> None:
    """Print the table: speed, memory, and how much is equal to the first row."""
    reference = next(iter(rounds.values()))
    frames = reference[0].frames
    nearest = NearestCentroid(fit_centroids(frames, clusters, seed=0)[0])
    units = nearest(frames)
    print(f"\n{len(frames)} frames, {clusters} clusters")
    print(f"{'':20} {'hours of audio an hour':>24} {'times':>6} {'MB':>6} {'units equal':>12} {'frames differ':>14}")
    for name, found in rounds.items():
        speeds = [len(frames) * frame_shift / one.seconds for one in found]
        times = statistics.median(first.seconds / one.seconds for first, one in zip(reference, found, strict=True))
        megabytes = found[0].bytes / 1e6
        equal = 100 * float(np.mean(units == nearest(found[0].frames)))
        difference = np.linalg.norm(found[0].frames - frames) / np.linalg.norm(frames)
        listed = ", ".join(f"{speed:.2f}" for speed in speeds)
        print(f"{name:20} {listed:>24} {times:6.2f} {megabytes:6.0f} {equal:10.3f} % {difference:14.1e}")
        results.add(name, statistics.median(speeds), "hours of audio an hour")
        results.add(f"{name}: extra memory", megabytes, "MB")
        results.add(f"{name}: units equal", equal, "%")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", help="folder of a WavLM, HuBERT or wav2vec 2.0; default: random weights")
    parser.add_argument("--layer", type=int, default=21, help="default %(default)s")
    parser.add_argument("--width", type=int, default=1024, help="of the random one, default %(default)s")
    parser.add_argument("--layers", type=int, default=24, help="of the random one, default %(default)s")
    parser.add_argument("--seconds", type=float, default=120.0, help="of audio, default %(default)s")
    parser.add_argument("--clusters", type=int, default=500, help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=2, help="default %(default)s")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=["float32"], help="default: float32")
    add_options(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        spans = join_utterances(Path(temporary), arguments.seconds)
        if arguments.encoder is None:
            save_random_wavlm(Path(temporary) / "wavlm", arguments.width, arguments.layers)
        folder = arguments.encoder or str(Path(temporary) / "wavlm")
        encoder = arguments.encoder or f"random WavLM, {arguments.layers} layers, width {arguments.width}"
        print(f"{encoder}; layer {arguments.layer}; {len(spans)} utterances; {arguments.device}")
        rounds = measure_all(folder, spans, arguments)
        frame_shift = load_extractor(folder, arguments.layer, arguments.device).frame_shift_seconds
    report(rounds, frame_shift, arguments.clusters, Results(arguments.results, arguments.device))


if __name__ == "__main__":
    main()
