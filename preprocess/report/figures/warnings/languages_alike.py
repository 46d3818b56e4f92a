"""Languages that differ only by case, white space or region, such as `de` and `de-DE`."""

from collections import defaultdict
from collections.abc import Iterator

from ....files.languages import are_alike, split_language
from .warning import DataWarning, Inspected, NotChecked, WarnedExample

KIND = "languages_alike"
ADVICE = (
    "If they are one language, write it alike in all manifests and make the data-bin again; if they are two, such as "
    "pt-BR and pt-PT, all is well."
)


def check_languages(inspected: Inspected) -> Iterator[DataWarning | NotChecked]:
    """Compare the names of the source languages, of the target languages, and of both."""
    languages = inspected.card.languages
    for side, names in (("source", languages.source), ("target", languages.target)):
        alike: dict[str, list[str]] = defaultdict(list)
        for name in names:
            alike[split_language(name)[0]].append(name)
        for group in alike.values():
            if len(group) > 1:
                yield _warn(inspected, f"The {side} languages {' and '.join(group)}", {side: group})
    for source in sorted(set(languages.source) - set(languages.target)):
        for target in sorted(set(languages.target) - set(languages.source)):
            if are_alike(source, target):
                text = f"The source language {source} and the target language {target}"
                yield _warn(inspected, text, {"source": [source], "target": [target]})


def _warn(inspected: Inspected, names: str, groups: dict[str, list[str]]) -> DataWarning:
    text = f"{names} differ only by case, white space or region; each is a language of its own to the model."
    examples = (*_first_examples(inspected, groups),)
    return DataWarning(KIND, text, ADVICE, sum(map(len, groups.values())), examples)


def _first_examples(inspected: Inspected, groups: dict[str, list[str]]) -> Iterator[WarnedExample]:
    """The first example of each name."""
    wanted = {(side, name) for side, names in groups.items() for name in names}
    for measures in inspected.streams:
        stream = measures.stream
        for index, origin in enumerate(stream.origins()):
            found = {("source", origin.source_language), ("target", origin.target_language)} & wanted
            for side, name in sorted(found):
                yield WarnedExample(stream.split, stream.name, index, origin.id, f"{side} language {name}")
            wanted -= found
            if not wanted:
                return
