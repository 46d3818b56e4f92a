"""The stage `run`: all stages of a recipe, in order. Outputs that would come out the same are kept.

    out: out/data                       # folder of all outputs; paths are relative to the recipe's folder
    manifest: {corpus: tsv, root: my_corpus, src-lang: en, tgt-lang: fr}
    kmeans: {extractor: mfcc, clusters: 64}
    subwords: {unit-vocab: 1000, source-vocab: 400, target-vocab: 400}
    binarize: {repeat: 4}

A section holds the options of its stage (`STAGE --help`) but for --out. What a stage takes from those before it is
filled in: manifests from OUT/manifest, units of each split from OUT/units, and so on; subwords learn from the training
split, which alone has the `speeds` of units, or take their text pieces from a `text-model`. `preset: small`, `medium`
or `large` fills in what is left open. `train`, `decode` and `export` are for `hmst run`. A section may instead name
the folder of a finished output, such as `kmeans: ../other/kmeans`, and then the stage is not run. The data-bin is
OUT/data-bin.
"""

import argparse
import functools
import importlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import PreprocessError, RecipeError
from ..files.lock import locked
from ..files.manifest import read_manifest
from ..files.outputs.held import put_all_in_order
from ..files.splits import find_manifests
from ..recipe.arguments import add_recipe_settings
from ..recipe.file import REPLACEABLE, STAGE_NAMES, Option, Recipe, read_recipe
from ..recipe.stage_options import StageOptions, Wiring
from ..recipe.step import Step
from . import STAGES

if TYPE_CHECKING:
    from .binarize import BinarizeOptions
    from .kmeans import KmeansOptions
    from .manifest import ManifestOptions
    from .subwords import SubwordsOptions
    from .units import UnitsOptions

TRAIN_ALONE = ("speeds",)  # options of units

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the stage `run`."""
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml")
    add_recipe_settings(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the stage `run` with the options of a command line."""
    run_recipe(arguments.recipe, arguments.out, arguments.set)


def run_recipe(path: Path, out: Path | None = None, settings: Sequence[str] = ()) -> Path:
    """Make everything up to the data-bin; what is finished and unchanged is kept.

    Args:
        path: of the recipe.
        out: in place of the recipe's `out`.
        settings: `SECTION.OPTION=VALUE`, in place of the recipe's own values.

    Returns:
        The data-bin.

    Raises:
        RecipeError: the recipe is not in its form, or has options or files at fault; nothing is made.
        PreprocessError: a stage cannot do its work.
    """
    recipe = read_recipe(path, out, settings)
    with locked(recipe.out):
        put_all_in_order(recipe.out)
        put_all_in_order(recipe.out / "units")
        refuse_faults(recipe.path, check_recipe(recipe)[1])
        for step in plan_steps(recipe):
            reason = step.reason_to_run()
            if not reason:
                logger.info("%s: nothing changed, kept %s", step.name, step.output)
                continue
            logger.info("%s: %s", step.name, reason)
            step.run()
    return recipe.out / "data-bin"


def plan_steps(recipe: Recipe) -> Iterator[Step]:
    """The steps of a recipe, in order; each must be done before the next is asked for.

    Raises:
        RecipeError: an option is unknown, missing or of the wrong kind.
    """
    if "units" in recipe.finished and recipe.options["kmeans"]:
        raise RecipeError(
            "the recipe gives finished units, so no k-means is made",
            advice="leave out the options of kmeans",
        )
    folders = _folders(recipe)
    for stage in STAGE_NAMES:
        if stage == "units" and stage not in recipe.finished:
            for manifest in find_manifests(folders["manifest"]).values():
                if any(row.audio is not None for row in read_manifest(manifest, check_audio=False)):
                    yield _make_step(recipe, stage, _wiring(recipe, stage, manifest), manifest.stem)
        elif _is_run(recipe, stage):
            yield _make_step(recipe, stage, _wiring(recipe, stage))


@dataclass(frozen=True)
class CheckedStages:
    """Options of the stages that a recipe runs; None: the stage is not run, or has faults.

    Attributes:
        root: of the manifest's release.
        fetches: whether the manifest makes its own root.
        manifest, kmeans, units, subwords, binarize: of the stages.
    """

    root: Path | None = None
    fetches: bool = False
    manifest: "ManifestOptions | None" = None
    kmeans: "KmeansOptions | None" = None
    units: "UnitsOptions | None" = None
    subwords: "SubwordsOptions | None" = None
    binarize: "BinarizeOptions | None" = None


def check_recipe(recipe: Recipe) -> tuple[CheckedStages, list[PreprocessError]]:
    """Read the options of all stages, and find what is wrong with them; nothing is run.

    Paths that come from stages before are there too, though nothing lies at them yet.
    """
    checked = CheckedStages()
    faults: list[PreprocessError] = []
    for stage in filter(functools.partial(_is_run, recipe), STAGE_NAMES):
        try:
            options = _stage_options(recipe, stage, _wiring(recipe, stage))
            faults += (unknown := options.find_unknown())
            if unknown:
                continue
            values = options.parse()
            faults += options.find_missing_files(values)
            faults += options.find_overlaps(values)
            if stage == "manifest":
                checked = replace(checked, root=values["root"], fetches=bool(values.get("fetch")))
            with options.located():
                changes: dict[str, Any] = {stage: _import_stage(stage).options_of(argparse.Namespace(**values))}
            checked = replace(checked, **changes)
        except PreprocessError as error:
            faults.append(error)
    return checked, faults


def refuse_faults(path: Path, faults: Sequence[PreprocessError]) -> None:
    """End here if anything is wrong with the recipe at `path`.

    Raises:
        RecipeError: the fault; or how many there are, and all of them, a line each.
    """
    if len(faults) == 1:
        raise faults[0]
    if faults:
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise RecipeError(f"{len(faults)} faults, nothing was begun:{lines}", place=path)


def _folders(recipe: Recipe) -> dict[str, Path]:
    return {stage: recipe.out / stage for stage in REPLACEABLE} | recipe.finished


def _is_run(recipe: Recipe, stage: str) -> bool:
    return stage not in recipe.finished and not (stage == "kmeans" and "units" in recipe.finished)


def _wiring(recipe: Recipe, stage: str, manifest: Path | None = None) -> Wiring:
    """Options of a stage that come from the stages before it; `manifest` of units: train.tsv where none is named."""
    folders = _folders(recipe)
    train = folders["manifest"] / "train.tsv"
    manifest = manifest or train
    text_model = recipe.options["subwords"].get("text-model")
    texts = {} if text_model is not None and text_model.value else {"source-text": [train], "target-text": [train]}
    kmeans = {"kmeans": folders["kmeans"]} if "kmeans" in recipe.finished else {}
    inputs: dict[str, Wiring] = {
        "manifest": {},
        "kmeans": {"manifest": train},
        "units": {"manifest": manifest, "kmeans": folders["kmeans"]},
        "subwords": {"units": folders["units"] / "train.units", **texts},
        "binarize": {
            "manifest-dir": folders["manifest"],
            "units-dir": folders["units"],
            "subwords": folders["subwords"],
            **kmeans,
        },
    }
    outputs = {**folders, "units": folders["units"] / f"{manifest.stem}.units", "binarize": recipe.out / "data-bin"}
    return {**inputs[stage], "out": outputs[stage]}


def _import_stage(stage: str) -> ModuleType:
    return importlib.import_module(f".{STAGES[stage].module}", __package__)


def _stage_options(recipe: Recipe, stage: str, wiring: Wiring) -> StageOptions:
    return StageOptions(recipe, stage, wiring, _import_stage(stage).add_arguments)


def _of_all_splits(options: dict[str, Option]) -> dict[str, Option]:
    """Options of the stage `units` but those that are for train alone."""
    return {name: option for name, option in options.items() if name not in TRAIN_ALONE}


def _make_step(recipe: Recipe, stage: str, wiring: Wiring, split: str = "") -> Step:
    if stage == "units" and split != "train":
        recipe = replace(recipe, options={**recipe.options, "units": _of_all_splits(recipe.options["units"])})
    options = _stage_options(recipe, stage, wiring)
    for error in options.find_unknown():
        raise error
    values = options.parse()
    name = f"{stage}.{split}" if split else stage
    run_stage = functools.partial(_import_stage(stage).run, argparse.Namespace(**values))
    return Step(name, stage, values, run_stage, recipe.out)
