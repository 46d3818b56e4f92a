"""Hours of audio that an hour of encoding takes in: the plain way and `preprocess`, side by side.

    python examples/benchmarks/units.py [--device cuda] [--encoder FOLDER] [--layer 21]

The plain way is that of most recipes: transformers' whole model, one utterance at a time, output_hidden_states=True.
Without --encoder, a WavLM of the shape of the large one is made, with random weights. Utterances of 2 to 15 s are
joined from the recordings of the prompts example. The two ways take turns; memory is what the first round of each adds
to the loaded models (resident set; on a GPU torch's allocator). Units are those of a k-means on the plain frames.
Linux only.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from peak_memory import peak_bytes, reset_peak

from preprocess.clustering.lloyd import fit_centroids
from preprocess.clustering.nearest_centroid import NearestCentroid
from preprocess.speech.audio import SAMPLE_RATE, load_audio
from preprocess.speech.extractors import load_extractor
from preprocess.speech.frames import AudioSpan, extract_frames

RECORDINGS = Path(__file__).parents[1] / "prompts" / "recordings"
SHORTEST, LONGEST = 2.0, 15.0  # seconds
Encoder = Callable[[list[AudioSpan]], list[np.ndarray]]  # frames (T, D) of spans, in order


def join_utterances(folder: Path, seconds: float) -> list[AudioSpan]:
    """Wav files of recordings one after another, lengths uniform in SHORTEST..LONGEST, until `seconds` are full."""
    import soundfile

    random = np.random.default_rng(0)
    recordings = iter(random.permutation(sorted(RECORDINGS.glob("*.ogg"))).tolist() * 100)
    spans: list[AudioSpan] = []
    while seconds > 0:
        length = round(SAMPLE_RATE * min(random.uniform(SHORTEST, LONGEST), max(seconds, SHORTEST)))
        waveform = np.zeros(0, dtype=np.float32)
        while len(waveform) < length:
            waveform = np.concatenate([waveform, load_audio(next(recordings))])
        name = str(len(spans))
        soundfile.write(folder / f"{name}.wav", waveform[:length], SAMPLE_RATE, subtype="FLOAT")
        spans.append(AudioSpan(folder / f"{name}.wav", 0.0, None, (name,), (name,)))
        seconds -= length / SAMPLE_RATE
    return spans


def save_random_wavlm(folder: Path, width: int, layers: int) -> None:
    """Write a WavLM with random weights; at width 1024 and 24 layers it is as large as the large one."""
    import torch
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMModel

    torch.manual_seed(0)
    config = WavLMConfig(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        conv_dim=(width // 2,) * 7,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
    )
    WavLMModel(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True).save_pretrained(folder)


def load_plain(folder: str, layer: int, device: str) -> Encoder:
    """Encode as the first lines of a notebook would."""
    import torch
    from transformers import AutoFeatureExtractor, AutoModel

    preprocessor = AutoFeatureExtractor.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval().to(device)

    def frames(span: AudioSpan) -> np.ndarray:
        waveform = load_audio(span.audio)
        inputs = preprocessor(waveform, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        with torch.inference_mode():
            output = model(inputs.input_values.to(device), output_hidden_states=True)
        return output.hidden_states[layer][0].cpu().numpy()

    return lambda spans: [frames(span) for span in spans]


def load_ours(folder: str, layer: int, device: str) -> Encoder:
    """Encode as the stages of `preprocess` do."""
    extractor = load_extractor(folder, layer, device)

    def frames(spans: list[AudioSpan]) -> list[np.ndarray]:
        found = {item.position: item.frames for item in extract_frames(spans, extractor, skip_faults=False)}
        return [found[position] for position in range(len(spans))]

    return frames


class Measured(NamedTuple):
    """Frames (F, D) of all spans, and what they took: seconds, and bytes more than before."""

    frames: np.ndarray
    seconds: float
    bytes: int


def measure(encode: Encoder, spans: list[AudioSpan], device: str) -> Measured:
    """Encode all spans once."""
    reset_peak(device)
    before = peak_bytes(device)
    started = time.perf_counter()
    frames = np.concatenate(encode(spans))
    return Measured(frames, time.perf_counter() - started, peak_bytes(device) - before)


def compare(folder: str, spans: list[AudioSpan], arguments: argparse.Namespace) -> None:
    """Measure both ways in turn and print the table."""
    ways = {
        name: load(folder, arguments.layer, arguments.device)
        for name, load in (("plain", load_plain), ("preprocess", load_ours))
    }
    for encode in ways.values():
        encode(spans[:1])
    rounds = [
        {name: measure(encode, spans, arguments.device) for name, encode in ways.items()}
        for _ in range(arguments.rounds)
    ]
    shift = load_extractor(folder, arguments.layer, arguments.device).frame_shift_seconds
    seconds = len(rounds[0]["plain"].frames) * shift
    print(f"\n{'':12} {'hours of audio an hour':>24} {'memory, MB':>12}")
    for name in ways:
        speeds = ", ".join(f"{seconds / results[name].seconds:.2f}" for results in rounds)
        print(f"{name:12} {speeds:>24} {rounds[0][name].bytes / 1e6:12.0f}")
    ratios = [results["plain"].seconds / results["preprocess"].seconds for results in rounds]
    print(f"times faster, median: {statistics.median(ratios):.2f}")
    plain, found = (rounds[0][name].frames for name in ways)
    nearest = NearestCentroid(fit_centroids(plain, arguments.clusters, seed=0)[0])
    print(
        f"units equal: {100 * np.mean(nearest(plain) == nearest(found)):.3f} % of {len(plain)} frames, "
        f"{arguments.clusters} clusters; relative difference of frames "
        f"{np.linalg.norm(found - plain) / np.linalg.norm(plain):.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", help="folder of a WavLM, HuBERT or wav2vec 2.0; default: random weights")
    parser.add_argument("--layer", type=int, default=21, help="default %(default)s")
    parser.add_argument("--width", type=int, default=1024, help="of the random one, default %(default)s")
    parser.add_argument("--layers", type=int, default=24, help="of the random one, default %(default)s")
    parser.add_argument("--seconds", type=float, default=120.0, help="of audio, default %(default)s")
    parser.add_argument("--clusters", type=int, default=500, help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=2, help="default %(default)s")
    parser.add_argument("--device", default="cpu", help="default %(default)s")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        spans = join_utterances(Path(temporary), arguments.seconds)
        if arguments.encoder is None:
            save_random_wavlm(Path(temporary) / "wavlm", arguments.width, arguments.layers)
        folder = arguments.encoder or str(Path(temporary) / "wavlm")
        encoder = arguments.encoder or f"random WavLM, {arguments.layers} layers, width {arguments.width}"
        print(f"{encoder}; layer {arguments.layer}; {len(spans)} utterances; {arguments.device}")
        compare(folder, spans, arguments)


if __name__ == "__main__":
    main()
