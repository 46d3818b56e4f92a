"""The cards of the stages before the data-bin: manifest, k-means, units and subwords."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from .card import Card

CENTROIDS_NAME = "centroids.npz"
MODEL_NAMES = ("unit.model", "source.model", "target.model")
REPORT_NAMES = ("index.html", "report.json")
UNITS_CARD_SUFFIX = ".card.json"  # in place of `.units`
# Below about 40 frames a centroid is the mean of a handful of utterances; faiss warns below 39.
FEW_FRAMES_PER_CLUSTER = 40


@dataclass(frozen=True)
class ExtractorDescription:
    """An extractor as cards describe it; see `Extractor` for the fields."""

    name: str
    source: str
    layer: int
    hash: str
    frame_shift_seconds: float
    width: int


@dataclass(frozen=True)
class ManifestCounts:
    """Rows of one split of a manifest folder.

    Attributes:
        rows: in the manifest.
        with_audio, with_transcript: rows that have it.
        seconds: of speech.
    """

    rows: int
    with_audio: int
    with_transcript: int
    seconds: float


@dataclass(frozen=True)
class ManifestFilters:
    """Limits of the rows of train; None: no limit."""

    min_seconds: float | None
    max_seconds: float | None
    max_length_ratio: float | None


@dataclass(frozen=True, kw_only=True)
class ManifestCard(Card):
    """Card of a folder of manifests.

    Attributes:
        corpus: name of the corpus module.
        counts: by split.
        filters: of train.
        filtered: rows that were filtered, by split and reason.
        errors: rows at fault that were left out, by split.
    """

    stage: Literal["manifest"] = "manifest"
    format_version: Literal[2] = 2
    corpus: str
    counts: Mapping[str, ManifestCounts]
    filters: ManifestFilters
    filtered: Mapping[str, Mapping[str, int]]
    errors: Mapping[str, int]


@dataclass(frozen=True)
class SampleDescription:
    """Description of the draw of the frames of a k-means.

    Attributes:
        drawn: what was drawn: utterances, which alone were encoded, or frames of all utterances.
        utterances: that were encoded.
        of_utterances: that could be.
        of_frames: of the encoded utterances; the frames of the sample are from these.
    """

    drawn: Literal["utterances", "frames"]
    utterances: int
    of_utterances: int
    of_frames: int


@dataclass(frozen=True)
class DoubtfulUnits:
    """Units of a k-means that say little.

    Attributes:
        empty: to which no frame of the sample fell.
        near_equal: pairs whose centroids lie nearly at one place, so that chance decides between the two.
    """

    empty: tuple[int, ...]
    near_equal: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class KmeansCard(Card):
    """Card of a folder of centroids.

    Attributes:
        extractor: of the frames.
        clusters: K.
        seed: of sample and fit.
        portion: of the corpus, in 0..1, as asked for.
        frames: in the sample.
        sample: how they were drawn; None: written by a version that drew frames and did not say so.
        skipped: rows that could not be used.
        inertia_per_frame: mean squared distance of the sample's frames to their centroids.
        doubtful: units that say little; None: written by a version that did not look.
    """

    needed: ClassVar[tuple[str, ...]] = (CENTROIDS_NAME,)

    stage: Literal["kmeans"] = "kmeans"
    format_version: Literal[2] = 2
    extractor: ExtractorDescription
    clusters: int
    seed: int
    portion: float
    frames: int
    sample: SampleDescription | None = None
    skipped: int
    inertia_per_frame: float
    doubtful: DoubtfulUnits | None = None

    @property
    def frames_per_cluster(self) -> float:
        """Frames of the sample by clusters."""
        return self.frames / self.clusters


@dataclass(frozen=True)
class SomeRows:
    """Rows that have something in common: how many, and the ids of the first."""

    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UnitsCard(Card):
    """Card of a units file.

    Attributes:
        kmeans: card of the k-means.
        kmeans_folder: where it lay, relative to the folder of the units.
        speeds: of the speech; every row is there once at each.
        skipped: rows that could not be used, each speed counted; errors.tsv names them.
        utterances, seconds, frames, deduplicated_units: totals over the file.
        run_lengths: number of runs by their length in frames.
        cancelled: rows, each speed counted, whose channels cancel each other, so that what was encoded is nearly
            silent; None: written by a version that did not look.
    """

    stage: Literal["units"] = "units"
    format_version: Literal[2] = 2
    kmeans: KmeansCard
    kmeans_folder: str
    speeds: tuple[float, ...] = (1.0,)
    skipped: int
    utterances: int
    seconds: float
    frames: int
    deduplicated_units: int
    run_lengths: Mapping[int, int]
    cancelled: SomeRows | None = None

    @classmethod
    def needed_by(cls, path: Path) -> tuple[str, ...]:
        """The units file beside the card."""
        return (f"{Path(path).name.removesuffix(UNITS_CARD_SUFFIX)}.units",)


@dataclass(frozen=True)
class TextModelEntry:
    """A pretrained text model whose SentencePiece model cuts source and target text.

    Attributes:
        convention: a key of languages.CONVENTIONS.
        name: of its folder, or the hub's.
        hash: SHA-256 of its SentencePiece model, or of all files of its tokenizer; see text_models.hash_tokenizer.
        symbols: its language symbols, in the order of their embeddings.
        pieces: their number, without <unk> and control symbols.
        unknown_pieces: pieces of the SentencePiece models that have no embedding, and are <unk>.
        languages: source and target language of a model of one pair, as it writes them; None: of several, or unknown.
        license: that its README names; None: it names none.
    """

    convention: str
    name: str
    hash: str
    symbols: tuple[str, ...]
    pieces: int
    unknown_pieces: tuple[str, ...] = ()
    languages: tuple[str, str] | None = None
    license: str | None = None


@dataclass(frozen=True, kw_only=True)
class SubwordsCard(Card):
    """Card of a folder of SentencePiece models.

    Attributes:
        num_units: K of the k-means.
        unit_subwords, source_subwords, target_subwords: pieces of each model.
        text_model: whose pieces stand for source and target text; None: these were trained.
        kmeans: card of the k-means that made the units; None: not known.
        escapes: whether the text models were trained on escaped text (`files/escapes.py`); not the pieces of a text
            model, and none of a version that did not say so.
    """

    needed: ClassVar[tuple[str, ...]] = MODEL_NAMES

    stage: Literal["subwords"] = "subwords"
    format_version: Literal[2] = 2
    num_units: int
    unit_subwords: int
    source_subwords: int
    target_subwords: int
    text_model: TextModelEntry | None
    kmeans: KmeansCard | None
    escapes: bool = False


@dataclass(frozen=True, kw_only=True)
class ReportCard(Card):
    """Card of a report's folder; `signature` is that of the data-bin."""

    needed: ClassVar[tuple[str, ...]] = REPORT_NAMES

    stage: Literal["inspect"] = "inspect"
    format_version: Literal[2] = 2
    signature: str
