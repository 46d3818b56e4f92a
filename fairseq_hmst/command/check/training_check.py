"""Options of the sections `train`, `decode` and `export`, read by the parsers that will read them."""

import contextlib
import difflib
import io
from collections.abc import Callable, Collection, Iterator, Sequence

from preprocess.errors import UserError
from preprocess.files.fairseq_import import process_unchanged
from preprocess.recipe.file import Option

from ...export.command import make_parser as make_export_parser
from ..run.road_recipe import OURS_IN_DECODE, OURS_IN_TRAIN, RoadRecipe, words_of

# From the words of a command line to those that the parser does not know; it exits where it cannot read a value.
FindUnknown = Callable[[Sequence[str]], Sequence[str]]


def check_training_options(road: RoadRecipe) -> Iterator[UserError]:
    """Options that fairseq-train does not have with the chosen architecture, or whose value it cannot read."""
    given = road.recipe.options["train"]
    base = ["data-bin", "--criterion", "hmst_joint"]
    base += ["--arch", str(given["arch"].value)] if "arch" in given else []
    options = {name: option for name, option in given.items() if name not in (*OURS_IN_TRAIN, "save-dir")}
    yield from _check("train", options, base, "get_training_parser")


def check_decoding_options(road: RoadRecipe) -> Iterator[UserError]:
    """Options that fairseq-generate does not have, or whose value it cannot read."""
    given = road.recipe.options["decode"]
    options = {name: option for name, option in given.items() if name not in OURS_IN_DECODE}
    yield from _check("decode", options, ["data-bin", "--path", "checkpoint.pt"], "get_generation_parser")


def check_export_options(road: RoadRecipe) -> Iterator[UserError]:
    """Options that `hmst export` does not have, or whose value it cannot read."""
    parser = make_export_parser()
    base = ["--model", "checkpoint.pt", "--data", "data-bin", "--out", "model"]

    def find_unknown(words: Sequence[str]) -> Sequence[str]:
        return parser.parse_known_args([*base, *words])[1]

    for name, option in road.recipe.options["export"].items():
        yield from _check_option("export", name, option, parser._option_string_actions, find_unknown)


def _check(section: str, options: dict[str, Option], base: Sequence[str], make_parser: str) -> Iterator[UserError]:
    from ... import plugin  # noqa: F401  (registers what the options belong to)

    with process_unchanged():
        from fairseq import options as fairseq_options

    def find_unknown(words: Sequence[str]) -> Sequence[str]:
        parser = getattr(fairseq_options, make_parser)()
        argv = [*base, "--task", "hmst_translation", *words]
        unknown: list[str] = fairseq_options.parse_args_and_arch(parser, input_args=argv, parse_known=True)[1]
        known.update(parser._option_string_actions)
        return unknown

    known: set[str] = set()
    for name, option in options.items():
        yield from _check_option(section, name, option, known, find_unknown)


def _check_option(
    section: str,
    name: str,
    option: Option,
    known: Collection[str],
    find_unknown: FindUnknown,
) -> Iterator[UserError]:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            unknown = find_unknown(words_of({name: option.value}))
    except SystemExit:  # argparse says on stderr which value it cannot read
        reason = printed.getvalue().strip().rpartition("error: ")[2]
        yield UserError(f"{section}: {reason}", place=option.location)
        return
    except ValueError as error:
        yield UserError(f"{section}: {error}", place=option.location)
        return
    if unknown:
        close = difflib.get_close_matches(f"--{name}", list(known), n=1)
        advice = f"did you mean '{close[0].lstrip('-')}'?" if close else ""
        yield UserError(f"{section} has no option '{name}'", place=option.location, advice=advice)
