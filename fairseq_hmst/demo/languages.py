"""Names of languages in English, from the Unicode CLDR."""

from collections.abc import Iterable

from babel import Locale

ENGLISH = Locale("en")


def language_name(code: str) -> str:
    """Name of a language: `fr` as French, `de-CH` as Swiss High German; the code itself where CLDR has no name."""
    language, _, region = code.replace("-", "_").partition("_")
    whole = ENGLISH.languages.get(f"{language}_{region}" if region else language)
    if whole is not None:
        return whole
    name = ENGLISH.languages.get(language)
    return code if name is None else f"{name} ({ENGLISH.territories.get(region, region)})"


def language_names(codes: Iterable[str]) -> str:
    """Names of languages, joined by commas."""
    return ", ".join(map(language_name, codes))
