"""Whether a folder is whole: every output below it is compared with its card, every checkpoint is opened."""

from collections.abc import Iterator
from pathlib import Path

from preprocess.errors import PreprocessError, UserError
from preprocess.files.cards.card import CARD_NAME, Card, stage_in
from preprocess.files.cards.stage_cards import ReportCard
from preprocess.recipe.step import CARDS as RECIPE_CARDS

from ...model_folder.errors import ModelFolderError

KINDS: tuple[type[Card], ...] = (*RECIPE_CARDS.values(), ReportCard)
CARDS = {kind.expected_stage(): kind for kind in KINDS}


def check_folder(folder: Path) -> tuple[list[str], list[UserError]]:
    """Check all that lies in a folder.

    Returns:
        What was checked, in words, and the faults.
    """
    cards = sorted(find_cards(folder))
    checkpoints = sorted(folder.rglob("*.pt"))
    faults = [fault for path in cards for fault in check_card(path)]
    faults += [fault for path in checkpoints for fault in check_checkpoint(path)]
    if not cards and not checkpoints:
        faults.append(UserError("nothing of fairseq_hmst is in it: no card.json, no checkpoint", place=folder))
    names = {"cards": len(cards), "checkpoints": len(checkpoints)}
    return [f"{number} {name}" for name, number in names.items() if number], faults


def find_cards(folder: Path) -> Iterator[Path]:
    """Cards in a folder; not those of copies within an output, whose own card names them."""
    card = folder / CARD_NAME
    yield from folder.glob("*.card.json")
    if card.is_file():
        yield card
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith("."):
            yield from find_cards(path)


def check_card(path: Path) -> Iterator[UserError]:
    """The faults of an output: a file that its card names is missing or has changed."""
    try:
        stage = stage_in(path)
        if isinstance(stage, str) and stage in CARDS:
            CARDS[stage].read_file(path).check_hashes(path.parent)
        elif stage == "model":
            from ...model_folder.folder import ModelFolder

            ModelFolder.open(path.parent)
        else:
            yield UserError(f"is the card of no stage: found stage {stage!r}", place=path)
    except (PreprocessError, ModelFolderError) as error:
        yield error


def check_checkpoint(path: Path) -> Iterator[UserError]:
    """The fault of a checkpoint that is not whole."""
    from ...checkpoints.reading import CheckpointError, check_whole

    try:
        check_whole(path)
    except CheckpointError as error:
        yield error
