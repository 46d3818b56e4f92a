"""The stages, one module a command; none imports another."""

from typing import NamedTuple


class Stage(NamedTuple):
    """One command of `hmst preprocess`."""

    module: str  # in this package
    summary: str


STAGES = {
    "manifest": Stage("manifest", "raw release -> train/dev/test .tsv"),
    "kmeans": Stage("kmeans", "manifest -> k-means centroids of a sample of frames"),
    "units": Stage("units", "manifest and k-means -> deduplicated unit ids"),
    "subwords": Stage("subwords", "units and texts -> SentencePiece models"),
    "binarize": Stage("binarize", "manifests, units, texts and subwords -> data-bin for fairseq-train"),
    "inspect": Stage("inspect", "data-bin -> a page with pictures to look at it, and its figures as JSON"),
    "run": Stage("run", "one YAML recipe -> all stages in order, resuming where it stopped"),
}
