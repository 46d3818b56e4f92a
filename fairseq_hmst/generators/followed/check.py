"""The check of fairseq's options of generation: each is followed by the search, or refused."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from fairseq.dataclass.configs import GenerationConfig

from preprocess.errors import OptionError

from .table import ATTENTION, BY_ATTENTION, LANGUAGES, SEARCHES, SUPPORT

COUNTS = ("beam", "nbest", "no_repeat_ngram_size", "prefix_size", "sampling_topk", "diverse_beam_groups")
# of each group one may be given
EXCLUSIVE = (
    ("sampling", "diverse_beam_groups", "diversity_rate"),
    ("sampling_topk", "sampling_topp"),
    ("print_alignment", "max_len_a"),  # fairseq's aligning search has an ensemble of its own
    ("prefix_size", "no_repeat_ngram_size"),  # a prefix may repeat
)
RANGES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    *((name, lambda value: value >= 1, "at least 1") for name in COUNTS),
    *((name, lambda value: value >= 0, "at least 0") for name in ("min_len", "max_len_a", "max_len_b")),
    ("diversity_rate", lambda value: value >= 0, "at least 0"),
    ("sampling_topp", lambda value: 0 < value <= 1, "above 0 and at most 1"),
    ("temperature", lambda value: 0 < value < math.inf, "above 0"),
    *((name, math.isfinite, "a finite number") for name in ("lenpen", "unkpen", "lm_weight", "diverse_beam_strength")),
)


def given_options(options: object) -> dict[str, object]:
    """Values, by name, of fairseq's options of generation that differ from their defaults.

    Args:
        options: fairseq's GenerationConfig, or anything with some of its attributes.
    """
    found = {field.name: getattr(options, field.name, field.default) for field in dataclasses.fields(GenerationConfig)}
    defaults = {field.name: field.default for field in dataclasses.fields(GenerationConfig)}
    return {name: value for name, value in found.items() if value != defaults[name] and name != "_name"}


def check_options(options: object, search: str) -> None:
    """Refuse what a search does not follow.

    Args:
        options: fairseq's options of generation.
        search: one of SEARCHES.

    Raises:
        OptionError: an option is not followed, has no effect with the others, or lies outside its range.
    """
    given = given_options(options)
    for name, value in given.items():
        support = SUPPORT[name]
        if search not in support.by:
            raise OptionError(name, _not_followed(value, search, support.by, support.why))
        if given.get("score_reference") and not support.of_references:
            raise OptionError(name, f"{value} has no effect with --score-reference, which searches nothing")
        if support.needs and support.needs not in given:
            raise OptionError(name, f"{value} has no effect without --{_flag(support.needs)}")
    for group in EXCLUSIVE:
        first, *others = [name for name in group if name in given] or [""]
        for name in others:
            raise OptionError(name, f"{given[name]} does not go with --{_flag(first)}: give one of them")
    _check_ranges(given, options, search)


def check_language_model(options: object, language_model: object) -> None:
    """Refuse a language model that whoever builds the search has not loaded, such as fairseq-interactive.

    Raises:
        OptionError: --lm-path is given, and there is no model.
    """
    path = getattr(options, "lm_path", None)
    if path is not None and language_model is None:
        raise OptionError("lm_path", f"{path} is loaded by fairseq-generate alone, and would have no effect here")


def check_input(options: object, has_references: bool) -> None:
    """Refuse what fairseq-interactive, whose input has no references, reads over.

    Raises:
        OptionError: an option needs references, or is printed by fairseq-generate alone.
    """
    if has_references:
        return
    if getattr(options, "prefix_size", 0) > 0:
        raise OptionError("prefix_size", "needs references, which this input has none of: use fairseq-generate")
    if getattr(options, "print_alignment", None) == "soft":
        raise OptionError("print_alignment", "soft is printed by fairseq-generate alone: give hard")


def _not_followed(value: object, search: str, by: frozenset[str], why: str) -> str:
    names = [name for name in SEARCHES if name in by]
    if by >= BY_ATTENTION:
        names.remove(LANGUAGES)
    elif ATTENTION in names and search == LANGUAGES:
        names[0] = "attention without them"
    followers = f"only by {', '.join(names)}" if names else "nor by any other"
    return f"{value} is not followed by decoding {search}, {followers}: {why}"


def _check_ranges(given: dict[str, object], options: object, search: str) -> None:
    for name, is_in_range, expected in RANGES:
        if name in given and not is_in_range(given[name]):
            raise OptionError(name, f"must be {expected}, got {given[name]}")
    beam, nbest, groups = getattr(options, "beam", 5), getattr(options, "nbest", 1), given.get("diverse_beam_groups")
    if nbest > beam:
        raise OptionError("nbest", f"must lie in 1..{beam}, the beam, got {nbest}")
    if isinstance(groups, int) and beam % groups:
        raise OptionError("diverse_beam_groups", f"must divide the beam, {beam}, got {groups}")
    shortest, longest = getattr(options, "min_len", 1), getattr(options, "max_len_b", 200)
    if search in SUPPORT["min_len"].by and "max_len_a" not in given and shortest > longest:
        raise OptionError("min_len", f"must be at most --max-len-b, {longest}, got {shortest}")


def _flag(name: str) -> str:
    return name.replace("_", "-")
