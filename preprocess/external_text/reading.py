"""External parallel text on disk, in three forms: two plain files, TMX, or TSV.

What of it goes into a data-bin, and how often, is `external_text`.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path

from ..errors import ManifestError
from ..files.faults import FaultSink, make_usable, raise_fault
from ..files.languages import Languages
from ..files.reading.lines import Line
from ..files.reading.table import TableRow, read_table
from ..files.text import TextPair, normalise_text, read_parallel
from .tmx import read_tmx

WHOLE_CORPUS_SUFFIXES = (".tmx", ".tmx.gz", ".tsv", ".tsv.gz")


def find_corpora(paths: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Files of each corpus. A .tmx or .tsv, or one with .gz, is one by itself, other paths come in pairs SRC TGT.

    Raises:
        ManifestError: a path is without its partner.
    """
    corpora: list[tuple[Path, ...]] = []
    source: Path | None = None
    for path in paths:
        is_whole = path.name.lower().endswith(WHOLE_CORPUS_SUFFIXES)
        if source is None and not is_whole:
            source = path
            continue
        if source is not None and is_whole:
            break
        corpora.append((path,) if source is None else (source, path))
        source = None
    if source is not None:
        raise ManifestError(
            f"{source} is without its translation: plain text comes in pairs of files, SRC TGT",
            advice=f"a corpus by itself is called *{', *'.join(WHOLE_CORPUS_SUFFIXES)}",
        )
    return corpora


def read_pairs(files: Sequence[Path], languages: Languages, at_fault: FaultSink = raise_fault) -> Iterator[TextPair]:
    """Pairs of one corpus of `find_corpora`, in its order; a unit of TMX gives one for each two languages it has.

    Text in other languages than `languages` gives pairs whose language is ""; an empty side is "".

    Args:
        files: of the corpus, plain or compressed by gzip.
        languages: of the data.
        at_fault: is given what is wrong with a line, row or unit that cannot be read, with its place.

    Raises:
        ManifestError: a file cannot be read or is not in its form; or its name does not say which language its text
            has, where there are several.
    """
    if len(files) == 2:
        return _read_plain(files[0], files[1], languages, at_fault)
    is_table = _without_gz(files[0]).suffix.lower() == ".tsv"
    return (_read_tsv if is_table else _read_tmx)(files[0], languages, at_fault)


@lru_cache(maxsize=1000)
def find_language(tag: str, languages: tuple[str, ...]) -> str:
    """Language that a tag names. en-US, en_XX and EN all name en, pt-BR names pt-BR or pt but not pt-PT.

    Returns:
        one of `languages`; "" if none is meant, or more than one might be.
    """
    wanted = _subtags(tag)
    found = [language for language in languages if _subtags(language) == wanted]
    found = found or [language for language in languages if all(map(str.__eq__, wanted, _subtags(language)))]
    return found[0] if len(found) == 1 else ""


def _subtags(tag: str) -> list[str]:
    # XX is how mBART's en_XX says "no region".
    return [part for part in tag.lower().replace("_", "-").split("-") if part != "xx"]


def _read_plain(source_path: Path, target_path: Path, languages: Languages, at_fault: FaultSink) -> Iterator[TextPair]:
    source_language = _language_of_file(source_path, languages.source, languages.target)
    target_language = _language_of_file(target_path, languages.target, languages.source)

    def make_pair(lines: tuple[Line, Line]) -> TextPair:
        texts = [normalise_text(line.text) for line in lines]
        return TextPair(lines[0].location, texts[0], texts[1], source_language, target_language)

    return make_usable(read_parallel(source_path, target_path), make_pair, at_fault)


def _language_of_file(path: Path, languages: tuple[str, ...], other_side: tuple[str, ...]) -> str:
    """The language of the file's suffix; where there is only one, any suffix will do but those of the other side."""
    suffix = _without_gz(path).suffix.removeprefix(".")
    language = find_language(suffix, languages)
    if not language and find_language(suffix, other_side):
        raise ManifestError(
            f"expected {', '.join(languages)} there",
            place=path,
            advice="each pair is SRC TGT, in this order",
        )
    if not language and len(languages) > 1:
        raise ManifestError(
            f"the data has several languages, {', '.join(languages)}: expected a file name that ends in one of them, "
            f"such as {_without_gz(path).stem}.{languages[0]}",
            place=path,
        )
    return language or languages[0]


def _without_gz(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def _read_tsv(path: Path, languages: Languages, at_fault: FaultSink) -> Iterator[TextPair]:
    def make_pair(row: TableRow) -> TextPair:
        fields = row.fields
        return TextPair(
            row.location,
            normalise_text(fields["src_text"]),
            normalise_text(fields["tgt_text"]),
            _language_of_row(fields, "src_lang", languages.source, row.location),
            _language_of_row(fields, "tgt_lang", languages.target, row.location),
        )

    return make_usable(read_table(path, ("src_text", "tgt_text"), exact=False), make_pair, at_fault)


def _language_of_row(row: dict[str, str], column: str, languages: tuple[str, ...], location: str) -> str:
    tag = row.get(column, "").strip()
    if tag:
        return find_language(tag, languages)
    if len(languages) > 1:
        raise ManifestError(f"{column} is missing or empty; expected one of {', '.join(languages)}", place=location)
    return languages[0]


def _read_tmx(path: Path, languages: Languages, at_fault: FaultSink) -> Iterator[TextPair]:
    for unit in read_tmx(path, at_fault):
        sources, targets = (_by_language(unit.texts, side) for side in (languages.source, languages.target))
        pairs = [(source, target) for source, target in product(sources, targets) if source != target]
        for source, target in pairs:
            yield TextPair(unit.name, sources[source], targets[target], source, target)
        if not pairs:
            yield TextPair(unit.name, "", "", "", "")


def _by_language(texts: Sequence[tuple[str, str]], languages: tuple[str, ...]) -> dict[str, str]:
    """The text in each of the languages; where there are several, that whose tag is nearest, then the first."""
    chosen: dict[str, tuple[bool, str]] = {}
    for tag, text in texts:
        language = find_language(tag, languages)
        is_exact = _subtags(tag) == _subtags(language)
        if language and (language not in chosen or (is_exact and not chosen[language][0])):
            chosen[language] = is_exact, text
    return {language: text for language, (_, text) in chosen.items()}
