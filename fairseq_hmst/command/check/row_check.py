"""Faults of the rows of a corpus: what the manifest, the encoder or the vocabularies would stumble over."""

import argparse
from collections.abc import Iterator, Mapping, Sequence

from preprocess.corpora import import_corpus
from preprocess.corpora.rows.filters import FilterOptions, Filters
from preprocess.corpora.rows.row import location_of_row
from preprocess.corpora.rows.selection import select_rows
from preprocess.errors import PreprocessError, UserError
from preprocess.files.faults import FaultOptions
from preprocess.files.manifest import Utterance, read_manifest
from preprocess.files.options import read_options
from preprocess.files.splits import find_manifests
from preprocess.recipe.file import Recipe
from preprocess.speech.audio import measure_audio
from preprocess.speech.extractors.limits import read_limits
from preprocess.vocabulary.training import train_model

# A text of so many characters a piece has pieces enough; below, SentencePiece is asked.
ENOUGH_CHARACTERS_A_PIECE = 200
MOST_SHOWN = 20


def check_rows(recipe: Recipe, stages: Mapping[str, argparse.Namespace]) -> list[UserError]:
    """Faults of all rows, of their languages, and of vocabularies too large for them."""
    faults: list[UserError] = []
    try:
        if "manifest" in stages:
            rows = read_corpus(stages["manifest"], faults)
        elif "manifest" in recipe.finished:
            manifests = find_manifests(recipe.finished["manifest"])
            rows = {split: read_manifest(path) for split, path in manifests.items()}
        else:
            return faults
    except PreprocessError as error:
        return [*faults, error]
    faults += check_languages(rows)
    faults += check_lengths(rows, stages)
    if "subwords" in stages:
        faults += check_vocabularies(rows.get("train", ()), stages)
    return faults


def read_corpus(arguments: argparse.Namespace, faults: list[UserError]) -> dict[str, Sequence[Utterance]]:
    """Rows of a release that can be used; the others are added to `faults`, but where the recipe leaves them out."""
    corpus = import_corpus(arguments.corpus)
    if getattr(arguments, "fetch", False) and not arguments.root.exists():
        return {}
    splits = corpus.read_splits(arguments.root, read_options(corpus.OPTIONS, arguments))
    filters = Filters(read_options(FilterOptions, arguments)).fitted(splits.get("train", ()))
    all_faults = FaultOptions(on_error="skip", max_errors=1.0)
    rows: dict[str, Sequence[Utterance]] = {}
    found: list[UserError] = []
    for split, of_split in splits.items():
        selection = select_rows(split, of_split, filters if split == "train" else Filters(), all_faults)
        rows[split] = selection.kept
        found += [UserError(f"row '{fault.id}': {fault.reason}", place=fault.location) for fault in selection.faults]
    if not read_options(FaultOptions, arguments).skips:
        faults += found[:MOST_SHOWN]
        if len(found) > MOST_SHOWN:
            faults.append(UserError(f"and {len(found) - MOST_SHOWN} more rows", place=arguments.root))
    return rows


def check_languages(rows: Mapping[str, Sequence[Utterance]]) -> Iterator[UserError]:
    """Languages that differ only by case, region or white space are one language written in two ways."""
    for column in ("src_lang", "tgt_lang"):
        first: dict[str, tuple[str, str]] = {}
        for split, of_split in rows.items():
            for row in of_split:
                language = getattr(row, column)
                name = language.strip().replace("_", "-").partition("-")[0].lower()
                known, place = first.setdefault(name, (language, f"{split}, row '{row.id}'"))
                if known != language:
                    yield UserError(
                        f"{column} is '{language}' here and '{known}' in {place}, which would be two languages",
                        place=f"{split}, row '{row.id}'",
                        advice="write a language alike everywhere",
                    )
                    first[name] = (language, place)


def check_lengths(
    rows: Mapping[str, Sequence[Utterance]], stages: Mapping[str, argparse.Namespace]
) -> Iterator[UserError]:
    """Rows that the encoder refuses for their length, such as Whisper's 30 s, but where the stages leave them out."""
    extractors = [stages[stage].extractor for stage in ("kmeans", "units") if stage in stages]
    source = next((extractor for extractor in extractors if extractor), None)
    if source is None or all(stages[stage].on_error == "skip" for stage in ("kmeans", "units") if stage in stages):
        return
    try:
        limits = read_limits(source)
    except PreprocessError as error:
        yield error
        return
    for split, of_split in rows.items():
        for index, row in enumerate(of_split):
            if row.audio is not None:
                seconds = measure_audio(row.audio, row.offset, row.duration)  # the manifest took it
                try:
                    limits.check(seconds, row.audio)
                except PreprocessError as error:
                    yield error.at(location_of_row(row, split, index), f"row '{row.id}'")


def check_vocabularies(rows: Sequence[Utterance], stages: Mapping[str, argparse.Namespace]) -> Iterator[UserError]:
    """Numbers of pieces that the texts of train, or the clusters, do not allow."""
    subwords = stages["subwords"]
    for name, column in (("source-vocab", "src_text"), ("target-vocab", "tgt_text")):
        size = getattr(subwords, name.replace("-", "_"))
        lines = [text for row in rows if (text := getattr(row, column))]
        if size and lines and sum(map(len, lines)) < ENOUGH_CHARACTERS_A_PIECE * size and not subwords.text_model:
            try:
                train_model(lines, size, f"subwords: {name}, {column} of train", is_text=True)
            except PreprocessError as error:
                yield error
    if "kmeans" in stages and subwords.unit_vocab < stages["kmeans"].clusters:
        clusters = stages["kmeans"].clusters
        yield UserError(
            f"asked for {subwords.unit_vocab} pieces, but each of {clusters} units must be one",
            place="subwords: unit-vocab",
            advice=f"ask for {clusters} or more, or for fewer kmeans.clusters",
        )
