"""The splits of a manifest folder, each with its units: train.tsv, dev.tsv (called valid) and test*.tsv."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import ManifestError, MismatchError, UnitsError
from .cards.stage_cards import UnitsCard
from .cards.units_cards import read_units_card
from .faults import faults_path, read_faults
from .languages import Languages, find_doubts
from .manifest import Utterance, location_of, read_manifest
from .reading.obstacle import is_there
from .speeds import ONE_SPEED, format_speeds, id_at_speed, in_order, row_at_speed
from .units import read_units

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Split:
    """One manifest and the units of its rows with audio."""

    name: str  # as fairseq calls it: train, valid, test...
    manifest: Path
    utterances: list[Utterance]  # rows that the stage units skipped are without audio
    units_path: Path
    units: dict[str, np.ndarray]  # by utterance id, (U,) uint16; empty where no row has audio
    units_card: UnitsCard | None

    @property
    def speeds(self) -> tuple[float, ...]:
        """Speeds of its speech, 1 first."""
        return in_order(self.units_card.speeds) if self.units_card else ONE_SPEED

    def spoken_rows(self) -> Iterator[Utterance]:
        """Rows with units, in the manifest's order; one at several speeds comes once at each, see `row_at_speed`."""
        for row in self.utterances:
            if row.audio is not None:
                at_speeds = (row_at_speed(row, speed) for speed in self.speeds)
                yield from (there for there in at_speeds if there.id in self.units)


def find_manifests(folder: Path) -> dict[str, Path]:
    """Manifests of a folder by split name, in the order train, valid, tests.

    Raises:
        ManifestError: there is none.
    """
    paths = {name: folder / f"{stem}.tsv" for name, stem in (("train", "train"), ("valid", "dev"))}
    paths |= {path.stem: path for path in sorted(folder.glob("test*.tsv"))}
    found = {name: path for name, path in paths.items() if is_there(path)}
    if not found:
        raise ManifestError("expected train.tsv, dev.tsv or test*.tsv there, found none", place=folder)
    for path in sorted(set(folder.glob("*.tsv")) - set(found.values())):
        logger.warning("%s is not used: it is called neither train.tsv nor dev.tsv nor test*.tsv", path)
    return found


def load_splits(manifest_dir: Path, units_dir: Path) -> list[Split]:
    """Read all manifests of a folder and the units of the same names, `UNITS_DIR/{train,dev,test*}.units`.

    Raises:
        ManifestError: no manifest, or one that is not in its form.
        UnitsError: a units file is missing, or its ids are not those of its manifest's rows with audio; or units of
            dev or test are of speech at other speeds than its own.
        MismatchError: a units file does not fit its card.
    """
    return [
        _load_split(name, manifest, units_dir / f"{manifest.stem}.units")
        for name, manifest in find_manifests(manifest_dir).items()
    ]


def find_languages(splits: Iterable[Split]) -> Languages:
    """Languages of all rows; those that only later splits have, or that may be one language, are logged."""
    splits = list(splits)
    found: dict[str, set[str]] = {"source": set(), "target": set()}
    for split in splits:
        rows = {
            "source": {row.src_lang for row in split.utterances},
            "target": {row.tgt_lang for row in split.utterances},
        }
        for side, languages in rows.items():
            if found[side] and languages - found[side]:
                logger.warning(
                    "%s: no split before it has the %s language %s",
                    split.manifest,
                    side,
                    ", ".join(sorted(languages - found[side])),
                )
            found[side] |= languages
    named = (
        (location_of(split.manifest, index), row.src_lang, row.tgt_lang)
        for split in splits
        for index, row in enumerate(split.utterances)
    )
    for doubt in find_doubts(named):
        logger.warning("%s", doubt)
    return Languages(tuple(sorted(found["source"])), tuple(sorted(found["target"])))


def check_unit_range(splits: Iterable[Split], clusters: int, kmeans_folder: Path) -> None:
    """Compare the units of all splits with the number of clusters of their k-means.

    Raises:
        MismatchError: a unit is no cluster of it.
    """
    for split in splits:
        for utterance_id, units in split.units.items():
            if units.max() >= clusters:
                raise MismatchError(
                    f"utterance '{utterance_id}' has unit {units.max()}, but the k-means in {kmeans_folder} has "
                    f"{clusters} clusters (units 0..{clusters - 1})",
                    place=split.units_path,
                    advice="the units are of another k-means: make both with one",
                )


def _load_split(name: str, manifest: Path, units_path: Path) -> Split:
    utterances = read_manifest(manifest, check_audio=False)
    card = read_units_card(units_path) if units_path.is_file() else None
    speeds = in_order(card.speeds) if card else ONE_SPEED
    if name != "train" and speeds != ONE_SPEED:
        raise UnitsError(
            f"holds speech at the speeds {format_speeds(sorted(speeds))}, which only train may have",
            place=units_path,
            advice=f"run the stage units on {manifest} without --speeds",
        )
    skipped: set[str] = set()
    if card and card.skipped:
        skipped = {fault.id for fault in read_faults(faults_path(units_path))}
        is_left_out = [all(id_at_speed(row.id, speed) in skipped for speed in speeds) for row in utterances]
        utterances = [
            replace(row, audio=None) if is_out else row for row, is_out in zip(utterances, is_left_out, strict=True)
        ]
        each = "" if speeds == ONE_SPEED else ", each speed counted,"
        logger.warning("%s: %d rows%s were skipped by the stage units and give no speech", manifest, len(skipped), each)
    spoken = {
        identifier: location_of(manifest, index)
        for index, row in enumerate(utterances)
        if row.audio is not None
        for identifier in (id_at_speed(row.id, speed) for speed in speeds)
        if identifier not in skipped
    }
    if not units_path.is_file():
        if spoken:
            raise UnitsError(
                f"{units_path} is missing: {manifest} has {len(spoken)} rows with audio",
                advice="run the stage units on it",
            )
        return Split(name, manifest, utterances, units_path, {}, None)
    units = {utterance_id: np.array(units, np.uint16) for utterance_id, units in read_units(units_path)}
    _check_ids(spoken, units, manifest, units_path)
    return Split(name, manifest, utterances, units_path, units, card)


def _check_ids(spoken: dict[str, str], units: dict[str, np.ndarray], manifest: Path, units_path: Path) -> None:
    missing = [utterance_id for utterance_id in spoken if utterance_id not in units]
    if missing:
        raise UnitsError(
            f"{units_path} lacks {len(missing)} of the {len(spoken)} utterances of {manifest}, the first is "
            f"'{missing[0]}' ({spoken[missing[0]]})",
            advice="run the stage units on this manifest",
        )
    surplus = [utterance_id for utterance_id in units if utterance_id not in spoken]
    if surplus:
        raise UnitsError(
            f"{units_path} has {len(surplus)} utterances that are no rows with audio in {manifest}, the first is "
            f"'{surplus[0]}'",
            advice="run the stage units on this manifest",
        )
