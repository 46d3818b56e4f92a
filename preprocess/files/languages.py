"""Language symbols of a data-bin, and their places in its streams.

A data-bin of one pair of languages has none. With several target languages, `<lang:de>` says which one is asked for.
With a pretrained text model the symbols are its own, such as `de_DE`, and stand where that model was trained with them;
one that was trained for a single pair has none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from ..errors import VocabularyError
from .cards.stage_cards import TextModelEntry
from .language_codes import (
    M2M_100_SYMBOLS,
    MBART_25_SYMBOLS,
    MBART_50_SYMBOLS,
    NLLB_200_SYMBOLS,
    THREE_LETTERS,
)


def split_language(name: str) -> tuple[str, str]:
    """Language and region of a name such as `pt-BR`, `pt_br` or `PT`, in small letters; region "": none."""
    language, *region = re.split(r"[-_\s]+", name.strip().casefold(), maxsplit=1)
    return language, region[0] if region else ""


def are_alike(one: str, other: str) -> bool:
    """Whether two names are one language, but for case, white space or region."""
    return split_language(one)[0] == split_language(other)[0]


@dataclass(frozen=True)
class LanguageDoubt:
    """Two names of languages that may be one.

    Attributes:
        found: which ones, in words.
        place: of a row where the second stands.
        are_two_regions: such as pt-BR and pt-PT, which may be meant.
    """

    found: str
    place: str
    are_two_regions: bool

    ADVICE: ClassVar[str] = "write a language alike everywhere, unless two are meant"

    def __str__(self) -> str:
        return f"{self.place}: {self.found}; {self.ADVICE}"

    @classmethod
    def about(cls, one: str, other: str, found: str, place: str) -> "LanguageDoubt":
        """Doubt about two names that are alike."""
        (_, region), (_, other_region) = split_language(one), split_language(other)
        return cls(found, place, bool(region and other_region) and region != other_region)


def find_doubts(rows: Iterable[tuple[str, str, str]]) -> Iterator[LanguageDoubt]:
    """Find names that are alike: source languages, target languages, and the two of a row; each pair once.

    Args:
        rows: the place, the source and the target language of each.
    """
    places: dict[tuple[str, str], str] = {}
    for place, source, target in rows:
        places.setdefault((source, target), place)
    for side, column in enumerate(("src_lang", "tgt_lang")):
        first: dict[str, str] = {}  # place of each name
        for pair, place in places.items():
            name = pair[side]
            if name in first:
                continue
            for known in filter(partial(are_alike, name), first):
                found = f"{column} is '{name}' here and '{known}' in {first[known]}, which are two languages"
                yield LanguageDoubt.about(known, name, found, place)
            first[name] = place
    for (source, target), place in places.items():
        if source != target and are_alike(source, target):
            found = f"src_lang '{source}' and tgt_lang '{target}' are one language"
            yield LanguageDoubt.about(source, target, found, place)


SOURCE_FORMS = ("source_first", "source_last", "target_first")
TARGET_FORMS = ("first_output", "first_input")


@dataclass(frozen=True)
class Convention:
    """Places of language symbols in the training of a kind of text model.

    Attributes:
        source: one of SOURCE_FORMS: `source_first` (`en_XX X </s>`), `source_last` (`X </s> en_XX`) or `target_first`
            (`<lang:de> X </s>`, the symbol of the language to translate into).
        target: one of TARGET_FORMS: `first_output` (the decoder gives it first) or `first_input` (the decoder is given
            it in place of </s>).
        symbols: published order of the model's language symbols, that of their embeddings; (): each model has its own.
        has_mask: whether the model has an embedding of <mask>.

    Without symbols `source` and `target` are "".
    """

    source: str
    target: str
    symbols: tuple[str, ...] = ()
    has_mask: bool = False


CONVENTIONS = {
    "mbart-cc25": Convention("source_last", "first_input", MBART_25_SYMBOLS, has_mask=True),
    "mbart-50": Convention("source_first", "first_output", MBART_50_SYMBOLS, has_mask=True),
    "m2m-100": Convention("source_first", "first_output", M2M_100_SYMBOLS),
    "nllb-200": Convention("source_first", "first_output", NLLB_200_SYMBOLS, has_mask=True),
    "nllb-200-legacy": Convention(
        "source_last", "first_output", NLLB_200_SYMBOLS, has_mask=True
    ),  # of its first release
    "opus-mt": Convention("", ""),  # of one pair
    "opus-mt-several": Convention("target_first", "first_input"),
}
SEVERAL_TARGETS = Convention("target_first", "first_output")


@dataclass(frozen=True)
class Languages:
    """All languages of a data-bin, sorted."""

    source: tuple[str, ...]
    target: tuple[str, ...]


@dataclass(frozen=True)
class LanguageSymbolsEntry:
    """Language symbols of a data-bin.

    Attributes:
        source, target: their places in sources and targets; see `Convention`.
        symbols: by language, as the manifests write it.
    """

    source: str
    target: str
    symbols: Mapping[str, str]


@dataclass(frozen=True)
class LanguageSymbols:
    """The symbols of the languages in a data-bin."""

    convention: Convention
    symbols: Mapping[str, str]  # by language as the manifests write it

    def as_entry(self) -> LanguageSymbolsEntry:
        """Entry `language_symbols` of a data-bin's card."""
        return LanguageSymbolsEntry(self.convention.source, self.convention.target, self.symbols)

    def of_source(self, source_language: str, target_language: str) -> str:
        """Symbol in the source stream of an example."""
        is_target = self.convention.source == "target_first"
        return self.symbols[target_language if is_target else source_language]


def find_language_symbols(languages: Languages, text_model: TextModelEntry | None) -> LanguageSymbols | None:
    """The symbols that a data-bin of these languages needs; None: one target language and no text model.

    Args:
        languages: of all rows.
        text_model: the entry `text_model` of the card of the subwords.

    Raises:
        VocabularyError: a language that the text model does not have, two that have one symbol, or a name with white
            space, which cannot stand in a dictionary.
    """
    if text_model is None:
        if len(languages.target) == 1:
            return None
        for language in languages.target:
            if language.split() != [language]:
                raise VocabularyError(f"expected a target language without white space, such as 'de', got '{language}'")
        return LanguageSymbols(SEVERAL_TARGETS, {language: f"<lang:{language}>" for language in languages.target})
    convention = CONVENTIONS[text_model.convention]
    _check_pair(languages, text_model, has_targets=bool(convention.target))
    if not convention.source:
        return None
    named = languages.target if convention.source == "target_first" else {*languages.source, *languages.target}
    symbols = {language: find_symbol(language, text_model.symbols, text_model.name) for language in sorted(named)}
    for symbol in symbols.values():
        same = [language for language in symbols if symbols[language] == symbol]
        if len(same) > 1:
            raise VocabularyError(f"the languages {', '.join(same)} are all {symbol}: write it alike in all manifests")
    return LanguageSymbols(convention, symbols)


def find_symbol(language: str, symbols: Sequence[str], model: str) -> str:
    """The symbol of a language: `en`, `eng`, `en_XX` and, where that is its region, `zh-CN` are understood.

    Raises:
        VocabularyError: there is none; the message lists those that there are.
    """
    name = language.replace("-", "_")
    codes = {symbol: symbol.strip("_<>") for symbol in symbols}  # of __de__ and >>deu<<
    short = [two for two, three in THREE_LETTERS.items() if name in (two, *three)]
    wanted = [name, *short, *(code for two in short for code in THREE_LETTERS[two])]
    for code in wanted:
        for symbol, written in codes.items():
            if code in (symbol, written, written.partition("_")[0]):
                return symbol
    raise VocabularyError(
        f"the text model {model} has no language '{language}'",
        advice=(
            f"it has {', '.join(symbols)}: write the language in the manifests like one of these, or by its code alone"
        ),
    )


def _check_pair(languages: Languages, text_model: TextModelEntry, has_targets: bool) -> None:
    """Refuse languages that a model of one pair does not translate; names of groups such as `roa` are not checked.

    Raises:
        VocabularyError: the source language is another, or the target language of a model without symbols.
    """
    if text_model.languages is None:
        return
    for side, known in zip(("source", "target"), text_model.languages, strict=True):
        if _short_code(known) not in THREE_LETTERS or (side == "target" and has_targets):
            continue
        other = [name for name in getattr(languages, side) if _short_code(name) != _short_code(known)]
        if other:
            raise VocabularyError(
                f"the text model {text_model.name} translates from {text_model.languages[0]} to "
                f"{text_model.languages[1]}, but the data has the {side} language {', '.join(other)}",
                advice="take the model of this pair",
            )


def _short_code(language: str) -> str:
    """`de` of `de`, `deu` or `de_DE`; a code that has no short one stays as it is."""
    code = split_language(language)[0]
    return next((two for two, three in THREE_LETTERS.items() if code in three), code)
