"""The card of a manifest folder, its table, and warnings about test sets."""

import logging
from collections.abc import Mapping
from pathlib import Path

from ...files.cards.named_files import hash_files
from ...files.cards.stage_cards import ManifestCard, ManifestCounts, ManifestFilters
from ...files.languages import find_doubts
from ...files.text import align_columns
from .filters import Filters
from .row import location_of_row
from .selection import Selection

logger = logging.getLogger(__name__)

Selections = Mapping[str, Selection]  # by split


def make_card(folder: Path, corpus: str, selections: Selections, filters: Filters) -> ManifestCard:
    """Card of the manifests in `folder`: rows, seconds, and what was left out, by split."""
    limits = filters.limits
    return ManifestCard(
        corpus=corpus,
        counts={
            split: ManifestCounts(
                rows=len(selection.kept),
                with_audio=sum(row.audio is not None for row in selection.kept),
                with_transcript=sum(bool(row.src_text) for row in selection.kept),
                seconds=round(selection.seconds, 3),
            )
            for split, selection in selections.items()
        },
        filters=ManifestFilters(limits.min_seconds, limits.max_seconds, limits.max_length_ratio),
        filtered={split: selection.filtered_counts() for split, selection in selections.items()},
        errors={split: len(selection.faults) for split, selection in selections.items()},
        hashes=hash_files(folder, sorted(path.name for path in folder.iterdir())),
    )


def summary(selections: Selections) -> str:
    """The table that the stage prints; below it, why rows were filtered."""
    rows = [("split", "rows", "hours", "filtered", "errors")]
    reasons = []
    for split, selection in selections.items():
        hours = f"{selection.seconds / 3600:.2f}"
        rows.append((split, f"{len(selection.kept)}", hours, f"{len(selection.filtered)}", f"{len(selection.faults)}"))
        reasons += [f"{split}: {number} filtered: {reason}" for reason, number in selection.filtered_counts().items()]
    return "\n".join(align_columns(rows) + reasons)


def warn_of_alike_languages(selections: Selections) -> None:
    """Log a warning for every two names that may be one language."""
    named = (
        (location_of_row(row, split, index), row.src_lang, row.tgt_lang)
        for split, selection in selections.items()
        for index, row in enumerate(selection.kept)
    )
    for doubt in find_doubts(named):
        logger.warning("%s", doubt)


def warn_of_incomplete_tests(selections: Selections) -> None:
    """Log a warning for every dev or test set that has lost rows."""
    for split, selection in selections.items():
        num_lost = selection.num_rows - len(selection.kept)
        if num_lost and split not in ("train", "mt"):
            logger.warning(
                "%s lacks %d of its %d rows: scores on it do not compare with those on the whole set",
                split,
                num_lost,
                selection.num_rows,
            )
