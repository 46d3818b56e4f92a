"""The cards beside units files, and the k-means that made the units."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import CardError, MismatchError, OutputError, PreprocessError
from .stage_cards import UNITS_CARD_SUFFIX, KmeansCard, UnitsCard

logger = logging.getLogger(__name__)

UnitsCards = Mapping[Path, UnitsCard | None]  # by units file; None where a file has no card


def units_card_path(units_path: Path) -> Path:
    """Path of the card of FILE.units: FILE.card.json."""
    return units_path.with_suffix(UNITS_CARD_SUFFIX)


def read_units_card(units_path: Path) -> UnitsCard | None:
    """Card of a units file, checked against the file; None, with a warning, if there is none.

    Raises:
        CardError: it is not the card of units.
        MismatchError: the units have changed since the card was written.
    """
    card_path = units_card_path(units_path)
    if not card_path.is_file():
        logger.warning("%s has no card (%s): which k-means made it is unknown", units_path, card_path.name)
        return None
    card = UnitsCard.read_file(card_path)
    card.check_hashes(units_path.parent)
    return card


def check_replaceable_units(units_path: Path) -> None:
    """Check that FILE.units and FILE.card.json are not there, or are of the stage `units`.

    Raises:
        OutputError: a file would be lost that the stage has not written.
    """
    card_path = units_card_path(units_path)
    if not units_path.exists() and not card_path.exists():
        return
    advice = "name another --out, or remove it yourself"
    if not card_path.exists():
        found = f"exists and is not an output of {UnitsCard.made_by()}: it has no {card_path.name}"
        raise OutputError(found, place=units_path, advice=advice)
    try:
        names = UnitsCard.read_file(card_path).names
    except CardError as error:
        found = f"exists and is not the card of {UnitsCard.made_by()}: {error.found}"
        raise OutputError(found, place=card_path, advice=advice) from error
    if units_path.name not in names:
        raise OutputError(f"is the card of another file than {units_path.name}", place=card_path, advice=advice)


def common_kmeans(cards: UnitsCards) -> KmeansCard | None:
    """Card of the k-means that made all these units; None if no units file has a card.

    Raises:
        MismatchError: two of the files come from different k-means.
    """
    known = [(path, card.kmeans) for path, card in cards.items() if card is not None]
    for path, kmeans in known[1:]:
        check_same_kmeans(known[0][1], kmeans, str(known[0][0]), str(path))
    return known[0][1] if known else None


def check_same_kmeans(one: KmeansCard | None, other: KmeansCard | None, one_name: str, other_name: str) -> None:
    """Compare the centroids of two k-means cards; an unknown one (None) fits everything.

    Raises:
        MismatchError: the centroids differ.
    """
    if one is None or other is None or one.hashes == other.hashes:
        return
    raise MismatchError(
        f"{one_name} and {other_name} come from different k-means (centroids {_short_hash(one)} and "
        f"{_short_hash(other)}), so the same number is another unit in each",
        advice="make both with one k-means",
    )


@dataclass(frozen=True)
class KnownKmeans:
    """The k-means that made some units, as far as it is known; None: not known."""

    card: KmeansCard | None
    folder: Path | None


def find_kmeans(cards: UnitsCards, given: Path | None, subwords: KmeansCard | None, subwords_name: str) -> KnownKmeans:
    """Find the k-means that made units and subwords, and check that it is one; each card is read once.

    Args:
        cards: of the units.
        given: folder of the k-means; None: where the units' cards say.
        subwords: card of the k-means that the subwords were made for, where known.
        subwords_name: of the subwords, for messages.

    Raises:
        MismatchError: units, subwords and `given` come from different k-means, or the centroids have changed.
        PreprocessError: the folder that a card names is gone, or is not whole.
    """
    card = common_kmeans(cards)
    units_name = ", ".join(sorted({str(path.parent) for path in cards}))
    check_same_kmeans(card, subwords, units_name, subwords_name)
    folder = given or _folder_in_cards(cards)
    if folder is not None:
        found = KmeansCard.read(folder)
        found.check_hashes(folder)
        for path, units_card in cards.items():
            check_same_kmeans(found, units_card.kmeans if units_card else None, str(folder), str(path))
        check_same_kmeans(found, subwords, str(folder), subwords_name)
        return KnownKmeans(found, folder)
    if cards:
        logger.warning("no k-means folder is known: the data-bin will not translate audio, only units; see --kmeans")
    return KnownKmeans(card, None)


def _folder_in_cards(cards: UnitsCards) -> Path | None:
    for path, card in cards.items():
        if card is not None:
            folder = Path(path.parent, card.kmeans_folder)
            if not folder.is_dir():
                raise PreprocessError(
                    f"the k-means folder that it names, {folder}, is not there",
                    place=units_card_path(path),
                    advice="say where it is with --kmeans",
                )
            return folder
    return None


def _short_hash(kmeans: KmeansCard) -> str:
    return " ".join(sorted(entry.sha256 for entry in kmeans.hashes.values()))[:12]
