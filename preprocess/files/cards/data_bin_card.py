"""The card of a data-bin, which preprocess writes and fairseq_hmst reads."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal

from ..languages import Languages, LanguageSymbolsEntry
from ..units import FIRST_CHARACTER
from .card import CARD_NAME, Card
from .stage_cards import MODEL_NAMES, KmeansCard

DICTIONARY_NAMES = ("dict.src.txt", "dict.tgt.txt")

# of the files of a stream, behind SPLIT.STREAM.
STREAM_ENDINGS = (
    *(f"{kind}.{ending}" for kind in ("src", "tgt", "transcript") for ending in ("bin", "idx")),
    *("origin.tsv", "ref.txt", "lang.txt"),
)


@dataclass(frozen=True)
class KeptTextModel:
    """The pretrained text model of a data-bin, and how much of its vocabulary is kept.

    Attributes:
        convention, name, hash, license: see `TextModelEntry`.
        kept_pieces: pieces that have a line in the dictionaries.
        pieces: pieces of the text model.
        coverage: share of the data's tokens that the kept pieces cover, 0 to 1.
    """

    convention: str
    name: str
    hash: str
    kept_pieces: int
    pieces: int
    coverage: float
    license: str | None = None


@dataclass(frozen=True)
class DictionaryEntry:
    """Numbers of pieces, and first ids in the input dictionary, which count fairseq's special symbols."""

    unit_subwords: int
    source_subwords: int
    target_subwords: int
    first_unit_subword: int
    first_source_subword: int


@dataclass(frozen=True)
class SomeExamples:
    """Examples of a stream that have something in common: how many, and the places of the first, from 0."""

    count: int
    first: tuple[int, ...]


@dataclass(frozen=True)
class StreamEntry:
    """One stream of one split; tokens are counted without </s> and language symbols.

    Attributes:
        examples: their number.
        target_languages: examples by language.
        source_tokens, target_tokens: over all examples.
        transcripts: examples that have one.
        seconds: of speech; None: not known, or text.
        run_lengths: runs of units by their length in frames; None: not known, or text.
        ctc_infeasible, source_ctc_infeasible: examples without a CTC path to the translation, to the transcript.
        altered: examples with characters that the pieces have no place for (`files/escapes.py`).
        cancelled: examples whose channels cancel each other; None: not known, or text.
        long_seconds: 95th percentile of the lengths of the examples' speech; None: not known, text, or a card of a
            version that did not write it.
    """

    examples: int
    target_languages: Mapping[str, int]
    source_tokens: int
    target_tokens: int
    transcripts: int
    seconds: float | None
    run_lengths: Mapping[int, int] | None
    ctc_infeasible: int
    source_ctc_infeasible: int
    long_seconds: float | None = None
    altered: SomeExamples = SomeExamples(0, ())
    cancelled: SomeExamples | None = None


@dataclass(frozen=True)
class Ratios:
    """Lengths of the first split, usually train; None where unknown."""

    units_per_second: float | None
    deduplicated_units_per_second: float | None
    unit_subwords_per_second: float | None
    repeated_text_to_speech_length: float | None

    @property
    def known(self) -> dict[str, float]:
        """Ratios that are known, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class TextFile:
    """A file of external text: its name without folder, and its SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True)
class ExternalTextEntry:
    """One corpus of external text.

    Attributes:
        files: of the corpus.
        ratio: times that it was written.
        pairs: in the files.
        dropped: pairs left out, by reason.
        written: examples by target language.
        limits: of the filters that were set, by name.
    """

    files: tuple[TextFile, ...]
    ratio: float
    pairs: int
    dropped: Mapping[str, int]
    written: Mapping[str, int]
    limits: Mapping[str, int | float]


@dataclass(frozen=True, kw_only=True)
class DataBinCard(Card):
    """Card of a data-bin.

    Attributes:
        languages: of all rows.
        language_symbols: None where the streams have none.
        text_model: None where text pieces were trained.
        repeat: times that each source-text token is written.
        num_units: K of the k-means.
        first_unit_character: code point of the character of unit 0; no other is known.
        dictionary: numbers of pieces and first ids.
        kmeans: card of the k-means; None: not known.
        counts: by split, then by stream, `st` or `mt`.
        ratios: of lengths.
        external_text: corpora of external text.
        escapes: that of the `SubwordsCard`.
        signature: one line that names the data.
    """

    needed: ClassVar[tuple[str, ...]] = (*DICTIONARY_NAMES, *(f"subwords/{name}" for name in MODEL_NAMES))

    stage: Literal["binarize"] = "binarize"
    format_version: Literal[2] = 2
    languages: Languages
    language_symbols: LanguageSymbolsEntry | None
    text_model: KeptTextModel | None
    repeat: int
    num_units: int
    first_unit_character: Literal[0xF0000] = FIRST_CHARACTER
    dictionary: DictionaryEntry
    kmeans: KmeansCard | None
    counts: Mapping[str, Mapping[str, StreamEntry]]
    ratios: Ratios
    external_text: tuple[ExternalTextEntry, ...]
    escapes: bool = False
    signature: str

    @classmethod
    def names_in(cls, content: Mapping[str, object]) -> frozenset[str]:
        """Names of all files of the data-bin; of the streams also where the card has no hashes of them."""
        counts = content.get("counts")
        splits = counts.items() if isinstance(counts, dict) else ()
        prefixes = [f"{split}.{stream}" for split, streams in splits if isinstance(streams, dict) for stream in streams]
        of_streams = {f"{prefix}.{ending}" for prefix in prefixes for ending in STREAM_ENDINGS}
        return (
            super().names_in(content)
            | of_streams
            | {"ctc_infeasible.tsv", f"subwords/{CARD_NAME}", f"kmeans/{CARD_NAME}"}
        )

    @property
    def long_training_seconds(self) -> float | None:
        """95th percentile of the lengths of training speech, in seconds; None: not known."""
        speech = self.counts.get("train", {}).get("st")
        return None if speech is None else speech.long_seconds

    def stream_files(self, split: str, stream: str) -> list[str]:
        """Names of the files of one stream of one split; [] where there is no such stream."""
        return [name for name in self.hashes if name.startswith(f"{split}.{stream}.")]

    @property
    def vocabulary_files(self) -> list[str]:
        """Names of dictionaries, SentencePiece models, centroids, and the cards of these."""
        return [name for name in self.hashes if name in DICTIONARY_NAMES or name.startswith(("subwords/", "kmeans/"))]

    def all_names(self) -> list[str]:
        """Names of files, and of splits and streams, of which names of files are made."""
        return [*super().all_names(), *self.counts, *(stream for split in self.counts.values() for stream in split)]


def make_signature(
    kmeans: KmeansCard | None, dictionary: DictionaryEntry, text_model: KeptTextModel | None, repeat: int, version: str
) -> str:
    """One line that names the data of a data-bin, such as `wavlm-large|L21|k2000|dedup|spm4000+4000|x4|v0.3`.

    With a text model its kept pieces stand in place of the source text's: `spm4000+mbart-50:31234`. Unknown parts
    (units that came without a card) are written as `?`.
    """
    name, layer, clusters = "?", "?", "?"
    if kmeans is not None:
        name, layer, clusters = kmeans.extractor.name, str(kmeans.extractor.layer), str(kmeans.clusters)
    text = str(dictionary.source_subwords)
    if text_model is not None:
        text = f"{text_model.convention}:{text}"
    return f"{name}|L{layer}|k{clusters}|dedup|spm{dictionary.unit_subwords}+{text}|x{repeat}|v{version}"
