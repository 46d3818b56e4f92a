"""Languages that differ only by case or region, such as `de` and `de-DE`."""

from collections import defaultdict
from collections.abc import Iterator

from ....files.languages import split_language
from .warning import DataWarning, Inspected, NotChecked

KIND = "languages_alike"


def check_languages(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Compare the names of the source languages, and of the target languages."""
    languages = inspected.card.languages
    for side, names in (("source", languages.source), ("target", languages.target)):
        alike: dict[str, list[str]] = defaultdict(list)
        for name in names:
            alike[split_language(name)[0]].append(name)
        for group in alike.values():
            if len(group) > 1:
                yield DataWarning(
                    KIND,
                    f"The {side} languages {' and '.join(group)} differ only by case or region; each is a language of "
                    "its own to the model.",
                    "If they are one language, write it alike in all manifests and make the data-bin again; if they "
                    "are two, such as pt-BR and pt-PT, all is well.",
                    len(group),
                )
