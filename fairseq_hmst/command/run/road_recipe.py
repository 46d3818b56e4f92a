"""The sections `train`, `decode` and `export` of a recipe, as options of commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from preprocess.errors import RecipeError
from preprocess.recipe.file import Option, Recipe, Value, read_recipe

# Of fairseq-train, where the recipe says nothing else. Options that are None or false are left out.
DEFAULT_TRAINING: Mapping[str, Value] = {
    "streams": "st,mt",
    "criterion": "hmst_joint",
    "optimizer": "adam",
    "adam-betas": "(0.9, 0.98)",
    "clip-norm": "2",
    "lr-scheduler": "inverse_sqrt",
    "eval-bleu": True,
    "best-checkpoint-metric": "bleu",
    "maximize-best-checkpoint-metric": True,
    "validate-interval": "1000000",  # epochs: validation goes by updates
    "no-epoch-checkpoints": True,
    "keep-interval-updates": "1",
    "seed": "1",
    "log-interval": "25",
}
DEFAULT_VALIDATE_INTERVAL_UPDATES = "1000"
DEFAULT_KEPT_CHECKPOINTS = "5"
# Options that the road gives itself.
OURS: Mapping[str, tuple[str, ...]] = {
    "train": ("data", "user-dir", "task"),
    "decode": ("data", "user-dir", "task", "path", "gen-subset", "eval-stream", "results-path"),
    "export": ("model", "data", "out", "average", "ensemble"),
}
# Options that are files or folders, relative to the recipe's folder.
PATHS: Mapping[str, tuple[str, ...]] = {
    "train": ("init-from", "finetune-from-model", "prefix-alignment"),
    "export": ("scores", "examples", "include-encoder"),
}
STREAMS = ("st", "mt")
CHECKPOINTS = ("average", "best", "last")
OURS_IN_DECODE = ("split", "stream", "checkpoint")  # read by the road itself


@dataclass(frozen=True)
class RoadRecipe:
    """A recipe with the folders and options of what follows the data-bin.

    Attributes:
        recipe: as written, with its preset filled in.
        data_bin: that its stages make.
        save_dir: folder of the training: checkpoints, logs, decoded test sets, report.json, and the model folder.
        training_values: options of fairseq-train by name, but for data and save-dir.
        checkpoint: which checkpoint is decoded and exported: one of CHECKPOINTS.
        splits: test sets; None: all.
        streams: that are decoded; None: all.
        decoding: options of fairseq-generate.
        export: options of `hmst export` but for --model, --data and --out.
    """

    recipe: Recipe
    data_bin: Path
    save_dir: Path
    training_values: Mapping[str, Value]
    checkpoint: str
    splits: tuple[str, ...] | None
    streams: tuple[str, ...] | None
    decoding: tuple[str, ...]
    export: tuple[str, ...]

    @property
    def training(self) -> tuple[str, ...]:
        """Words of fairseq-train but for data and --save-dir."""
        return words_of(self.training_values)

    @property
    def metric(self) -> str:
        """Name of the score by which checkpoints are kept."""
        return str(self.training_values["best-checkpoint-metric"])

    @property
    def model(self) -> Path:
        """The model folder that is written."""
        return self.save_dir / "model"


def read_road_recipe(
    path: Path, out: Path | None = None, settings: Sequence[str] = (), faults: list[RecipeError] | None = None
) -> RoadRecipe:
    """Read a recipe.

    Args:
        path: YAML file.
        out: in place of its `out`.
        settings: `SECTION.OPTION=VALUE`, in place of its own values.
        faults: faults that leave the rest readable are added here, in place of raising the first.

    Raises:
        RecipeError: it is not in its form, or says neither a preset nor an architecture.
    """
    recipe = read_recipe(path, out, settings, faults)
    train, decode = recipe.options["train"], recipe.options["decode"]
    found = [
        RecipeError(f"{section} gets its {name} from the road", place=option.location, advice="leave it out")
        for section, names in OURS.items()
        for name, option in recipe.options[section].items()
        if name in names
    ]
    found += [
        RecipeError(f"{name} must be one value", place=section[name].location)
        for section, name in ((train, "save-dir"), (decode, "checkpoint"))
        if name in section and not isinstance(section[name].value, str)
    ]
    for name, advice in (("arch", "hmst_ctc_attention_tiny"), ("max-update", "2000")):
        if name not in train and not (name == "max-update" and "max-epoch" in train):
            advice = f"write `preset: small`, or `{name}: {advice}` below `train:`"
            found.append(RecipeError(f"train has no {name}", place=path, advice=advice))
    checkpoint = _scalar(decode.get("checkpoint"), "average")
    if checkpoint not in CHECKPOINTS:
        place = decode["checkpoint"].location
        found.append(RecipeError(f"checkpoint must be one of {', '.join(CHECKPOINTS)}, got {checkpoint}", place=place))
    for stream in _list(decode.get("stream")) or ():
        if stream not in STREAMS:
            place = decode["stream"].location
            found.append(RecipeError(f"stream must be one of {', '.join(STREAMS)}, got {stream}", place=place))
    if found and faults is None:
        raise found[0]
    if faults is not None:
        faults += found
    save_dir = train.get("save-dir")
    return RoadRecipe(
        recipe=recipe,
        data_bin=recipe.out / "data-bin",
        save_dir=recipe.out / "train" if save_dir is None else save_dir.folder / _scalar(save_dir, ""),
        training_values=training_values(recipe),
        checkpoint=checkpoint,
        splits=_list(decode.get("split")),
        streams=_list(decode.get("stream")),
        decoding=words_of(given_options(recipe, "decode")),
        export=words_of(given_options(recipe, "export")),
    )


def given_options(recipe: Recipe, section: str) -> dict[str, Value]:
    """Options of a section for its command, paths as they are from the working directory; not those of the road."""
    left_out = (*OURS[section], "save-dir", *OURS_IN_DECODE)
    return {
        name: _as_path(option) if name in PATHS.get(section, ()) else option.value
        for name, option in recipe.options[section].items()
        if name not in left_out
    }


def training_values(recipe: Recipe) -> dict[str, Value]:
    """Options of fairseq-train by name, those that the road gives where the recipe says nothing included."""
    given = given_options(recipe, "train")
    interval = given.get("validate-interval-updates", DEFAULT_VALIDATE_INTERVAL_UPDATES)
    values = {
        **DEFAULT_TRAINING,
        "validate-interval-updates": interval,
        "save-interval-updates": interval,
        "keep-best-checkpoints": DEFAULT_KEPT_CHECKPOINTS,
    }
    return values | given


def words_of(values: Mapping[str, Value]) -> tuple[str, ...]:
    """Words of a command line; `--name=value` where a value begins with a dash."""
    words: list[str] = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        items = [] if value is True else value if isinstance(value, list) else [value]
        if len(items) == 1 and items[0].startswith("-"):
            words.append(f"--{name}={items[0]}")
        else:
            words += [f"--{name}", *items]
    return tuple(words)


def _as_path(option: Option) -> Value:
    """The value; what is a file or folder beside the recipe counts from there, another may be a name on the hub."""

    def resolve(value: str) -> str:
        return str(option.folder / value) if (option.folder / value).exists() else value

    if isinstance(option.value, list):
        return [resolve(value) for value in option.value]
    return resolve(option.value) if isinstance(option.value, str) else option.value


def _scalar(option: Option | None, default: str) -> str:
    return default if option is None or not isinstance(option.value, str) else option.value


def _list(option: Option | None) -> tuple[str, ...] | None:
    if option is None or option.value is None:
        return None
    return tuple(option.value) if isinstance(option.value, list) else (str(option.value),)
