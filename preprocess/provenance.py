"""Which k-means made a units file: reads the cards beside units files and checks that they fit together."""

import logging
from collections.abc import Mapping
from pathlib import Path

from .card import Card, check_hashes, parse_card, read_card
from .errors import MismatchError, PreprocessError

logger = logging.getLogger(__name__)

UnitsCards = Mapping[Path, Card | None]  # by units file; None where a file has no card


def units_card_path(units_path: Path) -> Path:
    """Where the stage `units` puts the card of FILE.units: FILE.card.json."""
    return units_path.with_suffix(".card.json")


def read_units_card(units_path: Path) -> Card | None:
    """The card of a units file, checked against the file; None, with a warning, if there is none.

    Raises:
        MismatchError: the units have changed since the card was written.
    """
    card_path = units_card_path(units_path)
    if not card_path.is_file():
        logger.warning("%s has no card (%s): which k-means made it is unknown", units_path, card_path.name)
        return None
    card = parse_card(card_path, "units")
    check_hashes(units_path.parent, card)
    return card


def common_kmeans(cards: UnitsCards) -> Card | None:
    """The card of the k-means that made all these units; None if no units file has a card.

    Raises:
        MismatchError: two of the files come from different k-means.
    """
    known = [(path, card["kmeans"]) for path, card in cards.items() if card is not None]
    for path, kmeans in known[1:]:
        check_same_kmeans(known[0][1], kmeans, str(known[0][0]), str(path))
    return known[0][1] if known else None


def check_same_kmeans(one: Card | None, other: Card | None, one_name: str, other_name: str) -> None:
    """Compare the centroids of two k-means cards; an unknown one (None) fits everything.

    Raises:
        MismatchError: the centroids differ.
    """
    if one is None or other is None or one["hashes"] == other["hashes"]:
        return
    raise MismatchError(
        f"{one_name} and {other_name} come from different k-means (centroids {_short_hash(one)} and "
        f"{_short_hash(other)}), so the same number is another unit in each; make both with one k-means"
    )


def find_kmeans(cards: UnitsCards, given: Path | None) -> Path | None:
    """The folder of the k-means that made the units: `given`, else where their cards say; None if unknown.

    Raises:
        MismatchError: `given` is not the k-means that made the units.
        PreprocessError: the folder that a card names is gone, or is not whole.
    """
    folder = given or _folder_in_cards(cards)
    if folder is None:
        return None
    found = read_card(folder, "kmeans")
    check_hashes(folder, found)
    for path, card in cards.items():
        check_same_kmeans(found, card["kmeans"] if card else None, str(folder), str(path))
    return folder


def _folder_in_cards(cards: UnitsCards) -> Path | None:
    for path, card in cards.items():
        if card is not None:
            folder = Path(path.parent, card["kmeans_folder"])
            if not folder.is_dir():
                raise PreprocessError(
                    f"{units_card_path(path)}: the k-means folder that it names, {folder}, is not there; "
                    "say where it is with --kmeans"
                )
            return folder
    return None


def _short_hash(kmeans: Card) -> str:
    return " ".join(sorted(kmeans["hashes"].values()))[:12]
