"""Too few frames for the clusters of the k-means."""

from collections.abc import Iterator

from .warning import DataWarning, Inspected, NotChecked

KIND = "frames_per_cluster"
# Below about 40 points a centroid is a poor estimate of its cluster; faiss warns below 39.
MIN_FRAMES = 40


def check_frames_per_cluster(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Compare the frames that the k-means was fitted to with the number of its clusters."""
    kmeans = inspected.card.kmeans
    if kmeans is None:
        if inspected.speech:
            yield NotChecked(KIND, "the data-bin does not say which k-means made its units")
        return
    frames_per_cluster = kmeans.frames / kmeans.clusters
    if frames_per_cluster < MIN_FRAMES:
        yield DataWarning(
            KIND,
            f"The k-means has {frames_per_cluster:.1f} frames a cluster ({kmeans.frames:,} frames, "
            f"{kmeans.clusters:,} clusters); below {MIN_FRAMES} its units follow single recordings.",
            f"Make it of more frames (a larger --portion or --max-frames; the portion was {kmeans.portion:g}) or with "
            "fewer --clusters.",
            kmeans.clusters,
        )
