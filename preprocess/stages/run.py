"""The stage `run`: all stages of a recipe, in order. Outputs that would come out the same are kept.

    out: out/data                       # folder of all outputs; paths are relative to the recipe's folder
    manifest: {corpus: tsv, root: my_corpus, src-lang: en, tgt-lang: fr}
    kmeans: {extractor: mfcc, clusters: 64}
    subwords: {unit-vocab: 1000, source-vocab: 400, target-vocab: 400}
    binarize: {repeat: 4}

A section holds the options of its stage (`STAGE --help`) but for --out. What a stage takes from those before it is
filled in: manifests from OUT/manifest, units of each split from OUT/units, and so on; subwords learn from the training
split, or take their text pieces from a `text-model`. `preset: small`, `medium` or `large` fills in what is left open.
`train`, `decode` and `export` are for `hmst run`. A section may instead name the folder of a finished output, such
as `kmeans: ../other/kmeans`, and then the stage is not run. The data-bin is OUT/data-bin.
"""

import argparse
import difflib
import functools
import importlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from ..errors import PreprocessError, RecipeError
from ..files.lock import locked
from ..files.manifest import read_manifest
from ..files.splits import find_manifests
from ..recipe.file import REPLACEABLE, STAGE_NAMES, Option, Recipe, Value, read_recipe
from ..recipe.step import Step
from . import STAGES

logger = logging.getLogger(__name__)

MODEL_OPTIONS = ("extractor", "text_model")  # a folder, or a name on the hub


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the stage `run`."""
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml")
    parser.add_argument("--out", type=Path, help="instead of the recipe's `out`")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.OPTION=VALUE",
        help="instead of the recipe's own value; may be repeated; paths are relative to the working directory",
    )


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
        RecipeError: the recipe is not in its form.
        PreprocessError: a stage cannot do its work.
    """
    recipe = read_recipe(path, out, settings)
    with locked(recipe.out):
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


def check_recipe(recipe: Recipe) -> tuple[dict[str, argparse.Namespace], list[PreprocessError]]:
    """Options of the stages that a recipe runs, as far as they are right, and all faults of the others.

    Nothing is run. Paths that come from stages before are there too, though nothing lies at them yet.
    """
    checked: dict[str, argparse.Namespace] = {}
    faults: list[PreprocessError] = []
    for stage in filter(functools.partial(_is_run, recipe), STAGE_NAMES):
        wiring = _wiring(recipe, stage)
        try:
            unknown = _find_unknown(recipe, stage, wiring)
            faults += unknown
            if not unknown:
                arguments = _parse(recipe, stage, wiring)
                _import_stage(stage).options_of(arguments)
                checked[stage] = arguments
        except PreprocessError as error:
            faults.append(error)
    return checked, faults


def _folders(recipe: Recipe) -> dict[str, Path]:
    return {stage: recipe.out / stage for stage in REPLACEABLE} | recipe.finished


def _is_run(recipe: Recipe, stage: str) -> bool:
    return stage not in recipe.finished and not (stage == "kmeans" and "units" in recipe.finished)


Wiring = Mapping[str, Path | list[Path]]


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


class _RecipeParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise a RecipeError in place of an exit."""
        raise RecipeError(message, place=self.prog)


def _make_step(recipe: Recipe, stage: str, wiring: Wiring, split: str = "") -> Step:
    for error in _find_unknown(recipe, stage, wiring):
        raise error
    arguments = _parse(recipe, stage, wiring)
    name = f"{stage}.{split}" if split else stage
    return Step(name, stage, vars(arguments), functools.partial(_import_stage(stage).run, arguments), recipe.out)


def _import_stage(stage: str) -> ModuleType:
    return importlib.import_module(f".{STAGES[stage].module}", __package__)


def _make_parser(recipe: Recipe, stage: str) -> _RecipeParser:
    parser = _RecipeParser(prog=f"{recipe.path}: {stage}", allow_abbrev=False, add_help=False)
    _import_stage(stage).add_arguments(parser)
    return parser


def _options(recipe: Recipe, stage: str, wiring: Wiring) -> dict[str, Option]:
    wired = {name: Option(_as_written(value), Path(), "") for name, value in wiring.items()}
    return wired | recipe.options[stage]


def _find_unknown(recipe: Recipe, stage: str, wiring: Wiring) -> list[PreprocessError]:
    """An error for each given option that the stage does not have, or that the recipe fixes."""
    _, known = _known_options(_make_parser(recipe, stage), _options(recipe, stage, wiring))
    fixed = {"out", "manifest"} if stage == "units" else {"out"}
    return [
        RecipeError(_explain_unknown(name, stage, known - {"out", "help"}), place=option.location)
        for name, option in recipe.options[stage].items()
        if name not in known or name in fixed
    ]


def _parse(recipe: Recipe, stage: str, wiring: Wiring) -> argparse.Namespace:
    """Parse the wired and the given options by the stage's own parser; the given ones win."""
    parser, options = _make_parser(recipe, stage), _options(recipe, stage, wiring)
    positional, _ = _known_options(parser, options)
    argv = [str(options[positional].value)] if positional in options else []
    argv += [word for name, option in options.items() if name != positional for word in _to_words(name, option)]
    arguments = parser.parse_args(argv)
    _resolve_paths(arguments, options)
    return arguments


def _known_options(parser: argparse.ArgumentParser, options: Mapping[str, Option]) -> tuple[str, set[str]]:
    """Name of a subcommand's choice (the `corpus` of `manifest`), if any, and of all options."""
    positional, known = "", set()
    for action in parser._actions:  # argparse has no public list
        if isinstance(action, argparse._SubParsersAction):
            positional = action.dest
            chosen = str(options[positional].value) if positional in options else "nothing"
            if chosen not in action.choices:
                choices = ", ".join(action.choices)
                raise RecipeError(f"{positional} must be one of {choices}, found {chosen}", place=parser.prog)
            known |= _known_options(action.choices[chosen], {})[1] | {positional}
        else:
            known.add(action.option_strings[-1].lstrip("-") if action.option_strings else action.dest)
    return positional, known


def _explain_unknown(name: str, stage: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    suggestion = f"did you mean '{close[0]}'? " if close else ""
    return f"{stage} has no option '{name}'; {suggestion}It has {', '.join(sorted(known))}"


def _as_written(value: Path | list[Path]) -> Value:
    return [str(item) for item in value] if isinstance(value, list) else str(value)


def _to_words(name: str, option: Option) -> list[str]:
    value = option.value
    if value is None or value is False:
        return []
    if value is True:
        return [f"--{name}"]
    return [f"--{name}", *value] if isinstance(value, list) else [f"--{name}={value}"]


def _resolve_paths(arguments: argparse.Namespace, options: Mapping[str, Option]) -> None:
    """Make the paths of each option count from its own folder; also the name of a model that is a folder there."""
    for name, option in options.items():
        key = name.replace("-", "_")
        value = getattr(arguments, key)
        if isinstance(value, list):
            setattr(arguments, key, [option.folder / item if isinstance(item, Path) else item for item in value])
        elif isinstance(value, Path):
            setattr(arguments, key, option.folder / value)
        elif key in MODEL_OPTIONS and value != "mfcc" and value and (option.folder / value).is_dir():
            setattr(arguments, key, str(option.folder / value))
