"""All faults of a recipe that can be known before the first second of encoding."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from preprocess.__main__ import check_recipe as check_stages
from preprocess.errors import PreprocessError, RecipeError, UserError
from preprocess.recipe.file import Recipe
from preprocess.recipe.step import CARDS
from preprocess.speech.devices import find_fault

from ..run.road_recipe import RoadRecipe, read_road_recipe
from .errors import CheckError, CheckWarning
from .folder_check import check_card
from .row_check import check_rows
from .training_check import check_decoding_options, check_export_options, check_training_options

if TYPE_CHECKING:
    from preprocess.stages.run import CheckedStages

GIGABYTE = 1e9
# About; weights of the sizes without the embeddings, which small vocabularies make small.
PARAMETERS = {"tiny": 2e6, "base": 45e6}
BYTES_OF_A_PARAMETER = 12  # float32 weights and Adam's two moments, in each checkpoint


@dataclass(frozen=True)
class CheckedRecipe:
    """Faults of a recipe.

    Attributes:
        road: the recipe; None: it cannot be read.
        checked: what was looked at, in words.
        faults: all that were found, with warnings among them.
    """

    road: RoadRecipe | None
    checked: tuple[str, ...]
    faults: list[UserError]


def check_before_work(path: Path, out: Path | None = None, settings: Sequence[str] = ()) -> RoadRecipe:
    """The recipe, if nothing is wrong with it; warnings are printed on stderr.

    Raises:
        CheckError: all that is wrong, a line each.
    """
    found = check_recipe(path, out, settings)
    for warning in found.faults:
        if isinstance(warning, CheckWarning):
            print(f"warning: {warning}", file=sys.stderr)
    faults = [fault for fault in found.faults if not isinstance(fault, CheckWarning)]
    if found.road is None or faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        number = len(faults)
        raise CheckError(f"{number} fault{'s' * (number != 1)}, nothing was begun:\n{lines}", place=path)
    return found.road


def check_recipe(path: Path, out: Path | None = None, settings: Sequence[str] = ()) -> CheckedRecipe:
    """Check sections, options, files, rows, vocabularies and free disk of a recipe."""
    faults: list[UserError] = []
    unread: list[RecipeError] = []
    try:
        road = read_road_recipe(path, out, settings, unread)
    except PreprocessError as error:
        return CheckedRecipe(None, ("sections",), [*unread, error])
    faults += unread
    stages, unparsed = check_stages(road.recipe)
    faults += unparsed
    faults += check_training_options(road.recipe)
    faults += check_decoding_options(road.recipe)
    faults += check_export_options(road.recipe)
    faults += check_finished(road.recipe)
    faults += check_rows(road.recipe, stages)
    faults += check_disk(road)
    faults += check_devices(road.recipe, stages)
    return CheckedRecipe(road, ("sections", "options", "files", "rows", "vocabularies", "disk"), faults)


def check_finished(recipe: Recipe) -> Iterator[UserError]:
    """Finished outputs that the recipe names must be whole."""
    for stage, folder in recipe.finished.items():
        if not folder.is_dir():
            yield UserError(f"{stage}: there is no folder {folder}", place=recipe.path)
        elif stage == "units":  # a card a file, or none where they come from elsewhere
            for card in sorted(folder.glob("*.card.json")):
                yield from check_card(card)
        else:
            try:
                CARDS[stage].read(folder).check_hashes(folder)
            except PreprocessError as error:
                yield error


def check_devices(recipe: Recipe, stages: "CheckedStages") -> Iterator[UserError]:
    """The device that a stage asks for must be there, unless other machines do its work."""
    for name, options in (("kmeans", stages.kmeans), ("units", stages.units)):
        if options is not None and options.audio.workers.backend == "loky":
            device = options.audio.device
            if fault := find_fault(device):
                place = recipe.options[name]["device"].location
                yield UserError(f"{name}: device {device} cannot be used here: {fault}", place=place)


def check_disk(road: RoadRecipe) -> Iterator[UserError]:
    """The checkpoints of a training must fit on the disk."""
    arch = str(road.training_values.get("arch", ""))
    parameters = PARAMETERS.get(arch.rpartition("_")[2], PARAMETERS["base"])
    for name, folder in (("out", road.recipe.out), ("train.save-dir", road.save_dir)):
        if folder.exists() and not folder.is_dir():
            yield UserError(f"{name} is not a folder: {folder}", place=road.recipe.path)
            return
    number = str(road.training_values["keep-best-checkpoints"])
    kept = (int(number) if number.isdigit() else 1) + 4  # last, best, by interval, average
    needed = kept * parameters * BYTES_OF_A_PARAMETER
    folder = next(folder for folder in (road.save_dir.absolute(), *road.save_dir.absolute().parents) if folder.is_dir())
    there = sum(path.stat().st_size for path in road.save_dir.glob("*.pt"))
    free = shutil.disk_usage(folder).free + there
    if free < needed:
        yield UserError(
            f"{kept} checkpoints need about {needed / GIGABYTE:.1f} GB, but only {free / GIGABYTE:.1f} GB are free",
            place=folder,
            advice="free some, name another `out`, or keep fewer: train.keep-best-checkpoints",
        )
