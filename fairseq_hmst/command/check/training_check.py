"""Options of the sections `train`, `decode` and `export`, read by the parsers that will read them."""

import contextlib
import difflib
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

from omegaconf import DictConfig

from preprocess.errors import OptionError, UserError
from preprocess.files.program.fairseq_import import process_unchanged
from preprocess.recipe.file import Recipe, Value

from ...export.command import make_parser as make_export_parser
from ..run.road_recipe import PATHS, given_options, training_values, words_of

# From the words of a command line to those that the parser does not know; it exits where it cannot read a value.
FindUnknown = Callable[[Sequence[str]], Sequence[str]]
HELP = ("help", "version")


def check_training_options(recipe: Recipe) -> Iterator[UserError]:
    """Find options that fairseq-train does not have with the architecture, or whose value it cannot read."""
    given = given_options(recipe, "train")
    arch = given.pop("arch", None)
    if arch is None:
        return  # a fault by itself, and without it no option can be judged
    architectures = _our_architectures()
    if arch not in architectures:
        place = recipe.options["train"]["arch"].location
        yield UserError(f"arch must be one of {', '.join(architectures)}, got {arch}", place=place)
        return
    criterion = str(training_values(recipe)["criterion"])
    if criterion not in (known := _criterions()):
        place = recipe.options["train"]["criterion"].location
        yield UserError(f"criterion must be one of {', '.join(known)}, got {criterion}", place=place)
        return
    given.pop("criterion", None)
    base = ["data-bin", "--criterion", criterion, "--arch", str(arch)]
    errors = list(_check_fairseq(recipe, "train", given, base, "get_training_parser"))
    yield from errors or _check_together(recipe)


def check_decoding_options(recipe: Recipe) -> Iterator[UserError]:
    """Find options that fairseq-generate does not have, or whose value it cannot read."""
    base = ["data-bin", "--path", "checkpoint.pt"]
    yield from _check_fairseq(recipe, "decode", given_options(recipe, "decode"), base, "get_generation_parser")


def check_export_options(recipe: Recipe) -> Iterator[UserError]:
    """Find options that `hmst export` does not have, or whose value it cannot read."""
    parser = make_export_parser()
    base = ["--model", "checkpoint.pt", "--data", "data-bin", "--out", "model"]

    def find_unknown(words: Sequence[str]) -> Sequence[str]:
        return parser.parse_known_args([*base, *words])[1]

    for name, value in given_options(recipe, "export").items():
        yield from _check_option(recipe, "export", name, value, parser._option_string_actions, find_unknown)


def _our_architectures() -> list[str]:
    from ... import plugin  # noqa: F401  (registers them)

    with process_unchanged():
        from fairseq.models import ARCH_MODEL_REGISTRY

    return sorted(name for name in ARCH_MODEL_REGISTRY if name.startswith("hmst_"))


def _criterions() -> list[str]:
    from ... import plugin  # noqa: F401  (registers ours)

    with process_unchanged():
        from fairseq.criterions import CRITERION_REGISTRY

    return sorted(CRITERION_REGISTRY)


def _check_fairseq(
    recipe: Recipe, section: str, given: dict[str, Value], base: Sequence[str], make_parser: str
) -> Iterator[UserError]:
    from ... import plugin  # noqa: F401  (registers what the options belong to)

    with process_unchanged():
        from fairseq import options as fairseq_options

    def find_unknown(words: Sequence[str]) -> Sequence[str]:
        parser = getattr(fairseq_options, make_parser)(default_task="hmst_translation")
        argv = [*base, "--task", "hmst_translation", *words]
        unknown: list[str] = fairseq_options.parse_args_and_arch(parser, input_args=argv, parse_known=True)[1]
        known.update(parser._option_string_actions)
        return unknown

    known: set[str] = set()
    find_unknown([])
    for name, value in given.items():
        yield from _check_option(recipe, section, name, value, known, find_unknown)


def _check_together(recipe: Recipe) -> Iterator[UserError]:
    """Find options of a training that do not fit each other, or have no effect."""
    with process_unchanged():
        from fairseq import options as fairseq_options
        from fairseq.dataclass.utils import convert_namespace_to_omegaconf

    parser = fairseq_options.get_training_parser(default_task="hmst_translation")
    words = ["data-bin", *words_of(training_values(recipe)), "--task", "hmst_translation"]
    config = convert_namespace_to_omegaconf(fairseq_options.parse_args_and_arch(parser, input_args=words))
    try:
        _refuse_together(config, recipe)
    except OptionError as error:
        name = error.name.replace("_", "-")
        given = recipe.options["train"].get(name) or recipe.options["train"]["arch"]
        yield UserError(f"train: {name} {error.problem}", place=given.location)
    except ValueError as error:
        yield UserError(f"train: {error}", place=recipe.options["train"]["arch"].location)


def _refuse_together(config: DictConfig, recipe: Recipe) -> None:
    """Let the criterion judge the heads that the model will have, and the task its options.

    Raises:
        OptionError, ValueError: an option is at fault.
    """
    with process_unchanged():
        from fairseq.criterions import CRITERION_REGISTRY
        from fairseq.models import ARCH_MODEL_REGISTRY
        from fairseq.tasks import TASK_REGISTRY

    task, criterion = TASK_REGISTRY["hmst_translation"], CRITERION_REGISTRY[config.criterion._name]
    heads = ARCH_MODEL_REGISTRY[config.model._name].heads_of(config.model)
    needs_text_twins = compares_views = learns_transcripts = False
    task.check_streams(config.task)
    if getattr(criterion, "trains_every_head", False):
        streams = config.task.streams.split(",")
        built = criterion.build_criterion(config.criterion, SimpleNamespace(stream_names=streams))
        built.head_weights(heads)
        needs_text_twins, compares_views = built.needs_text_twins, built.compares_views
        learns_transcripts = "source_ctc" in heads and "st" in built.streams_with_transcripts
    else:
        task.check_heads(config.criterion._name, heads)
    task.check_training_options(config.task, needs_text_twins, compares_views, learns_transcripts)
    repeat = recipe.options["binarize"].get("repeat")
    if repeat is not None and str(repeat.value).isdigit():
        task.check_repetition(config.task, int(str(repeat.value)), repeat.location)


def _check_option(
    recipe: Recipe, section: str, name: str, value: Value, known: Collection[str], find_unknown: FindUnknown
) -> Iterator[UserError]:
    place = recipe.options[section][name].location
    close = [flag.lstrip("-") for flag in difflib.get_close_matches(f"--{name}", list(known), n=1)]
    if f"--{name}" not in known or name in HELP:
        advice = f"did you mean '{close[0]}'?" if close and name not in HELP else ""
        yield UserError(f"{section} has no option '{name}'", place=place, advice=advice)
        return
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            unknown = find_unknown(words_of({name: value}))
    except SystemExit:  # argparse says on stderr which value it cannot read
        reason = printed.getvalue().strip().rpartition("error: ")[2]
        yield UserError(f"{section}: {reason}", place=place)
        return
    except (ValueError, RuntimeError) as error:
        yield UserError(f"{section}: {name}: {error}", place=place)
        return
    if unknown:
        advice = f"write `{name}: true`" if isinstance(value, str) else "give one value"
        yield UserError(f"{section}: {name} cannot be given {' '.join(unknown)}", place=place, advice=advice)
    for item in value if isinstance(value, list) else [value]:
        is_path = name in PATHS.get(section, ()) and isinstance(item, str)
        if is_path and not Path(str(item)).exists() and not _may_be_on_the_hub(name, str(item)):
            yield UserError(f"{section}: {name} does not exist: {item}", place=place)


def _may_be_on_the_hub(name: str, value: str) -> bool:
    return name == "include-encoder" and value.count("/") == 1 and not value.startswith((".", "/", "~"))
