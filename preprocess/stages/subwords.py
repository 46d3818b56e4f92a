"""The stage `subwords`: units and texts -> SentencePiece models of units, source text and target text.

A vocabulary of n holds n pieces beside SentencePiece's own <unk>. All units of the k-means are pieces of the unit
model, also those that the training data happens not to have. Text is only normalised as `normalise_text` does, and
what SentencePiece keeps for itself is escaped, so decoding gives it back exactly. With a pretrained text model only
the unit model is trained: that model's own SentencePiece models, with their own normalisation, serve source and target
text.
"""

import argparse
import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import MismatchError, VocabularyError
from ..files.cards.manifest_cards import check_manifest
from ..files.cards.named_files import hash_files
from ..files.cards.stage_cards import MODEL_NAMES, SubwordsCard, UnitsCard
from ..files.cards.units_cards import read_units_card
from ..files.outputs.held import held_folder
from ..files.outputs.place import folder_of_model, inputs_of
from ..files.program.options import add_options, option, read_options
from ..files.reading.lines import read_lines
from ..files.reading.table import read_table
from ..files.text import normalise_text
from ..files.units import read_units, text_to_units, units_to_text
from ..files.whole import whole_folder
from ..vocabulary.text_model import TextModelVocabulary, find_text_model
from ..vocabulary.training import train_model

logger = logging.getLogger(__name__)

DEFAULT_VOCABULARY = 4000  # pieces
TEXT_HELP = "text files, one sentence a line, or *.tsv (manifests, external text), whose {} texts are taken"
SIZE_HELP = f"number of {{}} pieces; default {DEFAULT_VOCABULARY}"


@dataclass(frozen=True)
class SubwordsOptions:
    """Options of the stage `subwords`; source and target text, or a text model."""

    out: Path = option("folder to write")
    source_text: tuple[Path, ...] | None = option(TEXT_HELP.format("source"), None, metavar="FILE")
    target_text: tuple[Path, ...] | None = option(TEXT_HELP.format("target"), None, metavar="FILE")
    unit_vocab: int | None = option(SIZE_HELP.format("unit"), None)
    source_vocab: int | None = option(SIZE_HELP.format("source"), None)
    target_vocab: int | None = option(SIZE_HELP.format("target"), None)
    text_model_name: str | None = option(
        "a text model (mBART, M2M-100, NLLB, Opus-MT), whose SentencePiece models are taken for source and target "
        "text in place of --source-text, --target-text and their sizes: a folder or hub name of Hugging Face, or a "
        "folder of fairseq's release of mBART",
        None,
        flag="text-model",
        metavar="FOLDER",
    )

    def __post_init__(self) -> None:
        """Check which options go together.

        Raises:
            VocabularyError: one is missing, or would have no effect.
        """
        values = {
            "--source-text": self.source_text,
            "--target-text": self.target_text,
            "--source-vocab": self.source_vocab,
            "--target-vocab": self.target_vocab,
        }
        given = [name for name, value in values.items() if value is not None]
        if self.text_model_name and given:
            raise VocabularyError(
                "--text-model brings its own text pieces",
                advice=f"leave out {', '.join(given)}, or leave out --text-model",
            )
        missing = [name for name in ("--source-text", "--target-text") if name not in given]
        if not self.text_model_name and missing:
            raise VocabularyError(f"{' and '.join(missing)} must be given, or --text-model")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the stage `subwords`."""
    parser.add_argument("--units", type=Path, required=True, help="one .units file, usually train.units")
    add_options(parser, SubwordsOptions)


def options_of(arguments: argparse.Namespace) -> SubwordsOptions:
    """The options of a command line."""
    return read_options(SubwordsOptions, arguments)


def run(arguments: argparse.Namespace) -> None:
    """Run the stage `subwords` with the options of a command line."""
    train_subwords(arguments.units, options_of(arguments))


def train_subwords(units: Path, options: SubwordsOptions) -> SubwordsCard:
    """Train the models of units and texts, and write their folder.

    Args:
        units: a units file.
        options: of the stage.

    Returns:
        The card of the folder.

    Raises:
        PreprocessError: an option or an input cannot be used.
    """
    inputs = inputs_of(units, options, folder_of_model(options.text_model_name))
    with held_folder(options.out, SubwordsCard, inputs):
        units_card = read_units_card(units)
        utterances = [units_to_text(row) for _, row in read_units(units)]
        clusters = _count_clusters(units, utterances, units_card)
        text_model = find_text_model(options.text_model_name) if options.text_model_name else None
        sizes = _vocabulary_sizes(options, text_model)
        texts = {} if text_model else {"source": options.source_text or (), "target": options.target_text or ()}
        columns = {"source": "src_text", "target": "tgt_text"}
        lines = {side: read_texts(paths, columns[side]) for side, paths in texts.items()}
        with whole_folder(options.out, SubwordsCard) as folder:
            logger.info("training the unit model on %d utterances of %d units", len(utterances), clusters)
            name, alphabet = f"--unit-vocab of {units}", units_to_text(range(clusters))
            model = train_model(utterances, sizes["unit"], name, is_text=False, alphabet=alphabet)
            (folder / "unit.model").write_bytes(model)
            for side, sentences in lines.items():
                logger.info("training the %s model on %d sentences", side, len(sentences))
                name = f"--{side}-vocab of {', '.join(map(str, texts[side]))}"
                (folder / f"{side}.model").write_bytes(train_model(sentences, sizes[side], name, is_text=True))
            if text_model is not None:
                for side, path in text_model.sentencepiece_paths.items():
                    shutil.copyfile(path, folder / f"{side}.model")
            card = SubwordsCard(
                num_units=clusters,
                unit_subwords=sizes["unit"],
                source_subwords=sizes["source"],
                target_subwords=sizes["target"],
                text_model=text_model.as_entry() if text_model else None,
                kmeans=units_card.kmeans if units_card else None,
                escapes=text_model is None,
                hashes=hash_files(folder, MODEL_NAMES),
            )
            card.write(folder)
    return card


def _vocabulary_sizes(options: SubwordsOptions, text_model: TextModelVocabulary | None) -> dict[str, int]:
    """Pieces of each model."""
    asked = {"unit": options.unit_vocab, "source": options.source_vocab, "target": options.target_vocab}
    sizes = {name: DEFAULT_VOCABULARY if size is None else size for name, size in asked.items()}
    return sizes | (text_model.num_pieces if text_model else {})


def read_texts(paths: Iterable[Path], column: str) -> list[str]:
    """Normalised, non-empty sentences of text files and of one column of `*.tsv`, in their order.

    Raises:
        ManifestError: a file cannot be read, or a `*.tsv` is not in its form.
        MismatchError: a manifest has changed since it was made.
    """
    lines: list[str] = []
    for path in paths:
        check_manifest(path)
        if path.suffix == ".tsv":
            texts = [normalise_text(row.fields[column]) for row in read_table(path, [column], exact=False)]
        else:
            texts = [normalise_text(line.text) for line in read_lines(path)]
        lines += filter(None, texts)
    return lines


def _count_clusters(path: Path, utterances: list[str], card: UnitsCard | None) -> int:
    """K of the k-means where it is known, else the highest unit + 1."""
    (highest,) = text_to_units(max(max(units) for units in utterances))
    if card is None:
        return highest + 1
    clusters = card.kmeans.clusters
    if highest >= clusters:
        raise MismatchError(
            f"holds unit {highest}, but its card says {clusters} clusters", place=path, advice="make the units again"
        )
    return clusters
