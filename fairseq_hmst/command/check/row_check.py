"""Faults of the rows of a corpus: what the manifest, the encoder or the vocabularies would stumble over."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from preprocess.corpora import import_corpus
from preprocess.corpora.rows.filters import Filters
from preprocess.corpora.rows.row import Row, location_of_row
from preprocess.corpora.rows.selection import select_rows
from preprocess.errors import PreprocessError, UserError
from preprocess.files.cards.card import CARD_NAME
from preprocess.files.faults import Fault
from preprocess.files.languages import find_doubts
from preprocess.files.manifest import Utterance, check_audio_file, location_of, read_manifest
from preprocess.files.speeds import ONE_SPEED, find_equal_ids, in_order
from preprocess.files.splits import find_manifests
from preprocess.recipe.file import Recipe
from preprocess.speech.audio import LengthLimits
from preprocess.speech.extractors.limits import read_limits
from preprocess.speech.frames import make_spans
from preprocess.speech.lengths import rows_outside
from preprocess.vocabulary.training import train_model

from .errors import CheckWarning

if TYPE_CHECKING:
    from preprocess.stages.manifest import ManifestOptions
    from preprocess.stages.run import CheckedStages

# A text of so many characters a piece has pieces enough; below, SentencePiece is asked.
ENOUGH_CHARACTERS_A_PIECE = 200
MOST_SHOWN = 20


def check_rows(recipe: Recipe, stages: "CheckedStages") -> list[UserError]:
    """Faults of all rows, of their languages, and of vocabularies too large for them."""
    faults: list[UserError] = []
    try:
        if stages.manifest is not None and stages.root is not None:
            if (recipe.out / "manifest" / CARD_NAME).is_file():  # an earlier run has checked the corpus
                rows = read_manifests(recipe.out / "manifest")
                faults += check_audio(rows)
            elif stages.root.exists():
                rows = read_corpus(stages.root, stages.manifest, faults)
            else:
                return faults  # it is made, or is a fault that was told
        elif "manifest" in recipe.finished:
            rows = read_manifests(recipe.finished["manifest"])
            faults += check_audio(rows)
        else:
            return faults
    except PreprocessError as error:
        return [*faults, error]
    faults += check_languages(rows)
    faults += check_splits(rows, recipe)
    faults += check_speakers(rows.get("train", ()), recipe)
    faults += check_lengths(rows, stages)
    faults += check_vocabularies(rows.get("train", ()), stages, recipe)
    return faults


def read_corpus(root: Path, options: "ManifestOptions", faults: list[UserError]) -> dict[str, Sequence[Utterance]]:
    """Rows that can be used; the others are added to `faults`, unless they are left out."""
    splits = import_corpus(options.corpus).read_splits(root, options.corpus_options)
    filters = Filters(options.filters).fitted(splits.get("train", ()))
    rows: dict[str, Sequence[Utterance]] = {}
    found: list[UserError] = []
    for split, of_split in splits.items():
        selection = select_rows(split, of_split, filters if split == "train" else Filters())
        rows[split] = selection.kept
        found += [fault.as_error() for fault in (*selection.unmade, *selection.faults)]
    if not options.faults.skips:
        faults += shortened(found, root)
    return rows


def read_manifests(folder: Path) -> dict[str, Sequence[Utterance]]:
    """Rows of all manifests of a folder by split, with their places."""
    return {
        split: [
            Row(**vars(row), location=location_of(path, index))
            for index, row in enumerate(read_manifest(path, check_audio=False))
        ]
        for split, path in find_manifests(folder).items()
    }


def check_audio(rows: Mapping[str, Sequence[Utterance]]) -> list[UserError]:
    """Find audio files that are gone since the manifests were made, each once."""
    first: dict[Path, str] = {}
    for split, of_split in rows.items():
        for index, row in enumerate(of_split):
            if row.audio is not None:
                first.setdefault(row.audio, f"{location_of_row(row, split, index)}: row '{row.id}'")
    faults: list[UserError] = []
    for path, place in first.items():
        try:
            check_audio_file(path)
        except PreprocessError as error:
            faults.append(error.at(place))
    return shortened(faults, f"{len(first)} audio files")


def shortened(faults: list[UserError], place: object) -> list[UserError]:
    """The first faults of one kind, and the number of the others."""
    others = len(faults) - MOST_SHOWN
    return [*faults[:MOST_SHOWN], *([UserError(f"and {others} more", place=place)] if others > 0 else [])]


def check_languages(rows: Mapping[str, Sequence[Utterance]]) -> Iterator[UserError]:
    """Find names of one language that differ by case, white space or region; regions of both may be meant."""
    named = (
        (location_of_row(row, split, index), row.src_lang, row.tgt_lang)
        for split, of_split in rows.items()
        for index, row in enumerate(of_split)
    )
    for doubt in find_doubts(named):
        kind = CheckWarning if doubt.are_two_regions else UserError
        yield kind(doubt.found, place=doubt.place, advice=doubt.ADVICE)


def check_splits(rows: Mapping[str, Sequence[Utterance]], recipe: Recipe) -> Iterator[UserError]:
    """Test sets that are to be decoded must be there."""
    option = recipe.options["decode"].get("split")
    if option is None or not rows:
        return
    there = ["valid" if split == "dev" else split for split in rows]
    for split in option.value if isinstance(option.value, list) else [option.value]:
        if split not in there:
            yield UserError(f"decode: there is no split {split}; there are {', '.join(there)}", place=option.location)


def check_speakers(rows: Sequence[Utterance], recipe: Recipe) -> Iterator[UserError]:
    """Rows can only be joined where a speaker has two sentences."""
    option = recipe.options["train"].get("join-share")
    if option is None or not _is_share(option.value) or not rows:
        return
    sentences = {(row.speaker, row.tgt_text) for row in rows if row.speaker}
    if len(sentences) == len({speaker for speaker, _ in sentences}):
        yield UserError(
            "train: join-share joins rows of one speaker, but no speaker of train has two sentences",
            place=option.location,
            advice="fill `speaker`, or leave join-share out",
        )


def _is_share(value: object) -> bool:
    try:
        return 0 < float(str(value)) < 1
    except ValueError:
        return False  # a fault that was told


def check_lengths(rows: Mapping[str, Sequence[Utterance]], stages: "CheckedStages") -> Iterator[UserError]:
    """Find rows that the encoder refuses for their length, unless they are left out."""
    if stages.kmeans is None or stages.kmeans.audio.faults.skips:
        return
    try:
        limits = read_limits(stages.kmeans.extractor_name)
    except PreprocessError as error:
        yield error
        return
    speeds = stages.units.speeds if stages.units is not None and not stages.units.audio.faults.skips else ONE_SPEED
    if limits == LengthLimits() and tuple(speeds) == ONE_SPEED:
        return  # those of any row, which the manifest has checked
    faults: list[Fault] = []
    for split, of_split in rows.items():
        located = [(row, location_of_row(row, split, index)) for index, row in enumerate(of_split)]
        speeds_there = in_order(speeds) if split == "train" else ONE_SPEED
        yield from find_equal_ids(located, speeds_there)
        faults += rows_outside(make_spans(located, speeds_there), limits)
    yield from shortened([_as_error(fault) for fault in faults], stages.kmeans.extractor_name)


def _as_error(fault: Fault) -> UserError:
    return UserError(f"row '{fault.id}': {fault.reason}", place=fault.location)


def check_vocabularies(rows: Sequence[Utterance], stages: "CheckedStages", recipe: Recipe) -> Iterator[UserError]:
    """Find numbers of pieces that the texts of train, or the clusters, do not allow."""
    subwords, kmeans = stages.subwords, stages.kmeans
    if subwords is None:
        return
    sizes = {"source-vocab": ("src_text", subwords.source_vocab), "target-vocab": ("tgt_text", subwords.target_vocab)}
    for name, (column, size) in sizes.items():
        lines = [text for row in rows if (text := getattr(row, column))]
        if size and lines and sum(map(len, lines)) < ENOUGH_CHARACTERS_A_PIECE * size:
            try:
                train_model(lines, size, f"subwords: {name}, {column} of train", is_text=True)
            except PreprocessError as error:
                yield error.at(recipe.options["subwords"][name].location)
    if kmeans is not None and (subwords.unit_vocab or kmeans.clusters) < kmeans.clusters:
        yield UserError(
            f"asked for {subwords.unit_vocab} pieces, but each of {kmeans.clusters} units must be one",
            place="subwords: unit-vocab",
            advice=f"ask for {kmeans.clusters} or more, or for fewer kmeans.clusters",
        ).at(recipe.options["subwords"]["unit-vocab"].location)
