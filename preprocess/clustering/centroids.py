"""Centroids of a k-means on disk, without pickle. The folder has centroids.npz, (K, D) float32, and a card."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import FileError, MismatchError
from ..files.cards.named_files import hash_files
from ..files.cards.stage_cards import CENTROIDS_NAME, KmeansCard
from ..files.reading.archive import read_array
from ..files.reading.finite import check_finite
from ..files.whole import whole_folder


def load_kmeans(folder: Path) -> tuple[np.ndarray, KmeansCard]:
    """Centroids (K, D) float32 and card of a folder that `save_kmeans` wrote.

    Raises:
        CardError: the folder is not a whole k-means.
        MismatchError: the centroids have changed since, or are not what the card says.
        NotFiniteError: a centroid is NaN or infinite.
    """
    card = KmeansCard.read(folder)
    card.check_hashes(folder)
    path = Path(folder) / CENTROIDS_NAME
    try:
        centroids = read_array(path, "centroids", (card.clusters, card.extractor.width))
    except FileError as error:
        raise MismatchError.of(error, "make the k-means again") from error
    check_finite({"centroids": centroids}, path, "fit the k-means again")
    return centroids, card


def save_kmeans(folder: Path, centroids: np.ndarray, card: KmeansCard) -> None:
    """Write centroids (K, D) and their card, hashes added, as a whole folder.

    Raises:
        NotFiniteError: a centroid is NaN or infinite.
        OutputError: the folder cannot be written.
    """
    check_finite({"centroids": centroids}, folder)
    with whole_folder(folder, KmeansCard, lists=["errors"]) as temporary:
        np.savez(temporary / CENTROIDS_NAME, centroids=centroids)
        replace(card, hashes=hash_files(temporary, [CENTROIDS_NAME])).write(temporary)
