"""Too few frames for the clusters of the k-means."""

from collections.abc import Iterator

from ....files.cards.stage_cards import FEW_FRAMES_PER_CLUSTER
from .warning import DataWarning, Inspected, NotChecked

KIND = "frames_per_cluster"


def check_frames_per_cluster(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Compare the frames that the k-means was fitted to with the number of its clusters."""
    kmeans = inspected.card.kmeans
    if kmeans is None:
        if inspected.speech:
            yield NotChecked(KIND, "the data-bin does not say which k-means made its units")
        return
    if kmeans.frames_per_cluster < FEW_FRAMES_PER_CLUSTER:
        yield DataWarning(
            KIND,
            f"The k-means has {kmeans.frames_per_cluster:.1f} frames a cluster ({kmeans.frames:,} frames, "
            f"{kmeans.clusters:,} clusters); below {FEW_FRAMES_PER_CLUSTER} its units follow single recordings.",
            f"Make it of more frames (a larger --portion or --max-frames; the portion was {kmeans.portion:g}) or with "
            "fewer --clusters.",
            kmeans.clusters,
        )
