"""The stage `kmeans`: manifest -> centroids of a sample of frames, kept on disk without pickle.

Where --portion of the utterances is enough, drawn evenly from speakers and talks, only these are encoded; that is at
least 1000 utterances with 250 frames a cluster. Of a smaller corpus all is encoded, and frames are drawn.

The output folder holds centroids.npz (array `centroids`, (K, D) float32) and card.json.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from ..clustering.centroids import save_kmeans
from ..clustering.doubtful_units import find_doubtful_units
from ..clustering.frame_sample import SampleOptions, sample_frames
from ..clustering.lloyd import fit_centroids
from ..errors import PreprocessError
from ..files.cards.stage_cards import KmeansCard
from ..files.outputs.held import held_folder
from ..files.outputs.place import folder_of_model, inputs_of
from ..files.program.options import add_options, option, read_options
from ..files.units import MAX_UNITS
from ..speech.extractors import describe, load_extractor, unload_extractor
from ..speech.extractors.limits import read_limits
from ..speech.shards import AudioOptions, Shards


@dataclass(frozen=True)
class KmeansOptions:
    """Options of the stage `kmeans`."""

    extractor_name: str = option(
        "mfcc, or a folder or hub name of WavLM, HuBERT, wav2vec 2.0, ...", flag="extractor", metavar="EXTRACTOR"
    )
    out: Path = option("folder to write")
    layer: int | None = option("transformer layer, from 1; not for mfcc; paper: 21 of WavLM-large", None)
    clusters: int = option("number of units", 2000)
    sample: SampleOptions = field(default_factory=SampleOptions)
    audio: AudioOptions = field(default_factory=AudioOptions)

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            PreprocessError: an option lies outside its range.
        """
        if not 1 <= self.clusters <= MAX_UNITS:
            raise PreprocessError(f"--clusters must lie in 1..{MAX_UNITS}, got {self.clusters}")
        if self.sample.max_frames < self.clusters:
            raise PreprocessError(f"--max-frames must be at least --clusters, got {self.sample.max_frames}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the stage `kmeans`."""
    parser.add_argument("--manifest", type=Path, required=True, help="rows with audio are read, usually train.tsv")
    add_options(parser, KmeansOptions)


def options_of(arguments: argparse.Namespace) -> KmeansOptions:
    """The options of a command line."""
    return read_options(KmeansOptions, arguments)


def run(arguments: argparse.Namespace) -> None:
    """Run the stage `kmeans` with the options of a command line."""
    fit_kmeans(arguments.manifest, options_of(arguments))


def fit_kmeans(manifest: Path, options: KmeansOptions) -> KmeansCard:
    """Fit k-means to frames of a manifest's audio, and write its folder of centroids.

    Args:
        manifest: rows with audio are read.
        options: of the stage.

    Returns:
        The card of the folder.

    Raises:
        PreprocessError: an option, the manifest, its audio or the extractor cannot be used.
    """
    inputs = inputs_of(manifest, options, folder_of_model(options.extractor_name))
    with held_folder(options.out, KmeansCard, inputs):
        shards = Shards(manifest, options.out, options.audio, read_limits(options.extractor_name))
        # Each of several workers has its own, and perhaps the memory of the device.
        device = shards.own_device if shards.is_serial else "cpu"
        description = describe(load_extractor(options.extractor_name, options.layer, device))
        if not shards.is_serial:
            unload_extractor()
        frames, sample = sample_frames(shards, description, options.clusters, options.sample)
        centroids, inertia, sizes = fit_centroids(frames, options.clusters, options.sample.seed, shards.own_device)
        card = KmeansCard(
            extractor=description,
            clusters=options.clusters,
            seed=options.sample.seed,
            portion=options.sample.portion,
            frames=len(frames),
            sample=sample,
            skipped=len(shards.faults),
            inertia_per_frame=inertia,
            doubtful=find_doubtful_units(centroids, sizes),
            hashes={},
        )
        save_kmeans(options.out, centroids, card)
        shards.remove()
    return KmeansCard.read(options.out)
