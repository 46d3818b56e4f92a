"""The stage `subwords`: the SentencePiece models of units, source text and target text; `Subwords` applies them.

A vocabulary of n holds n pieces beside SentencePiece's own <unk>. All units of the k-means are pieces of the unit
model, also those that the training data happens not to have. Text is only normalised as `normalise_text` does, so
decoding gives it back exactly. With a pretrained text model only the unit model is trained: that model's own
SentencePiece model, with its own normalisation, serves source and target text.
"""

import argparse
import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .card import VERSION, Card, check_hashes, hash_file, read_card, write_card
from .errors import MismatchError, VocabularyError
from .lock import one_at_a_time
from .manifest import read_table
from .outputs import whole_folder
from .provenance import read_units_card
from .sentencepiece_training import train_model
from .text import normalise_text, read_text
from .text_model import TextModel, find_text_model, model_piece_ids
from .units import read_units, text_to_units, units_to_text

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

logger = logging.getLogger(__name__)

MODEL_NAMES = ("unit.model", "source.model", "target.model")
DEFAULT_VOCABULARY = 4000  # pieces


@dataclass(frozen=True)
class Subwords:
    """The three SentencePiece models of a finished subwords folder; id 0 of each is <unk>.

    With a text model `source` and `target` are the same model, and `text_model` is its entry in the card.
    """

    units: "SentencePieceProcessor"
    source: "SentencePieceProcessor"
    target: "SentencePieceProcessor"
    card: Card

    @classmethod
    def load(cls, folder: Path) -> "Subwords":
        """Load DIR of `subwords --out DIR`, or DATA_BIN/subwords.

        Raises:
            PreprocessError: the folder is not a whole output of this stage.
            MismatchError: a model has changed since.
        """
        from sentencepiece import SentencePieceProcessor

        card = read_card(folder, "subwords")
        check_hashes(folder, card)
        units, source, target = (SentencePieceProcessor(model_file=str(Path(folder) / name)) for name in MODEL_NAMES)
        return cls(units, source, target, card)

    @property
    def text_model(self) -> dict[str, Any] | None:
        """Convention, name, hash, symbols and pieces of the pretrained text model; None: text pieces were trained."""
        return self.card.get("text_model")

    def encode_units(self, units: Iterable[int]) -> list[str]:
        """Deduplicated units to pieces of one or more unit characters."""
        return self.units.encode(units_to_text(units), out_type=str)

    def encode_source(self, text: str) -> list[str]:
        """Source text to pieces, not repeated."""
        return self.source.encode(normalise_text(text), out_type=str)

    def encode_target(self, text: str) -> list[str]:
        """Target text to pieces."""
        return self.target.encode(normalise_text(text), out_type=str)

    def decode_target(self, pieces: Sequence[str]) -> str:
        """Inverse of `encode_target`, for text whose characters the model knows."""
        return self.target.decode(list(pieces))


def model_pieces(model: "SentencePieceProcessor") -> list[str]:
    """The pieces of a model in the order of their ids, without <unk> and control symbols."""
    return [model.id_to_piece(index) for index in model_piece_ids(model)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the stage `subwords`."""
    parser.add_argument("--units", type=Path, required=True, help="one .units file, usually train.units")
    for side in ("source", "target"):
        parser.add_argument(
            f"--{side}-text",
            type=Path,
            nargs="+",
            metavar="FILE",
            help=f"text files, one sentence a line, or *.tsv (manifests, external text), whose {side} texts are taken",
        )
    for name in ("unit", "source", "target"):
        parser.add_argument(f"--{name}-vocab", type=int, help=f"number of {name} pieces; default {DEFAULT_VOCABULARY}")
    parser.add_argument(
        "--text-model",
        metavar="FOLDER",
        help="an mBART, whose SentencePiece model is taken for source and target text in place of --source-text, "
        "--target-text and their sizes: a folder or hub name of Hugging Face, or a folder of fairseq's release",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


@one_at_a_time
def run(arguments: argparse.Namespace) -> None:
    """The stage `subwords`: units and texts, or units and a text model -> folder of three models."""
    _check_options(arguments)
    units_card = read_units_card(arguments.units)
    utterances = [units_to_text(units) for _, units in read_units(arguments.units)]
    clusters = _count_clusters(arguments.units, utterances, units_card)
    text_model = find_text_model(arguments.text_model) if arguments.text_model else None
    columns = {} if text_model else {"source": "src_text", "target": "tgt_text"}
    texts = {side: read_texts(getattr(arguments, f"{side}_text"), column) for side, column in columns.items()}
    sizes = _vocabulary_sizes(arguments, text_model)
    with whole_folder(arguments.out) as folder:
        logger.info("training the unit model on %d utterances of %d units", len(utterances), clusters)
        model = train_model(
            utterances,
            sizes["unit"],
            f"--unit-vocab of {arguments.units}",
            is_text=False,
            alphabet=units_to_text(range(clusters)),
        )
        (folder / "unit.model").write_bytes(model)
        for side, lines in texts.items():
            logger.info("training the %s model on %d sentences", side, len(lines))
            paths = ", ".join(map(str, getattr(arguments, f"{side}_text")))
            model = train_model(lines, sizes[side], f"--{side}-vocab of {paths}", is_text=True)
            (folder / f"{side}.model").write_bytes(model)
        if text_model is not None:
            for side in ("source", "target"):
                shutil.copyfile(text_model.sentencepiece_path, folder / f"{side}.model")
        write_card(folder, _make_card(folder, sizes, clusters, text_model, units_card))


def _check_options(arguments: argparse.Namespace) -> None:
    names = ("source_text", "target_text", "source_vocab", "target_vocab")
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) is not None]
    if arguments.text_model and given:
        raise VocabularyError(
            f"--text-model brings its own text pieces: leave out {', '.join(given)}, or leave out --text-model"
        )
    missing = [name for name in ("--source-text", "--target-text") if name not in given]
    if not arguments.text_model and missing:
        raise VocabularyError(f"{' and '.join(missing)} must be given, or --text-model")


def _vocabulary_sizes(arguments: argparse.Namespace, text_model: TextModel | None) -> dict[str, int]:
    """Pieces of each model."""
    asked = {name: getattr(arguments, f"{name}_vocab") for name in ("unit", "source", "target")}
    sizes = {name: DEFAULT_VOCABULARY if size is None else size for name, size in asked.items()}
    return sizes | (dict.fromkeys(("source", "target"), text_model.num_pieces) if text_model else {})


def read_texts(paths: Iterable[Path], column: str) -> list[str]:
    """Normalised, non-empty sentences of text files and of one column of `*.tsv`, in their order.

    Raises:
        ManifestError: a file cannot be read, or a `*.tsv` is not in its form.
    """
    lines: list[str] = []
    for path in paths:
        if path.suffix == ".tsv":
            texts = [normalise_text(row[column]) for _, row in read_table(path, [column], exact=False)]
        else:
            texts = [text for _, text in read_text(path)]
        lines += filter(None, texts)
    return lines


def _count_clusters(path: Path, utterances: list[str], card: Card | None) -> int:
    """K of the k-means where it is known, else the highest unit + 1."""
    (highest,) = text_to_units(max(max(units) for units in utterances))
    if card is None:
        return highest + 1
    clusters = card["kmeans"]["clusters"]
    if highest >= clusters:
        raise MismatchError(f"{path} holds unit {highest}, but its card says {clusters} clusters; make the units again")
    return clusters


def _make_card(
    folder: Path, sizes: dict[str, int], clusters: int, text_model: TextModel | None, units_card: Card | None
) -> Card:
    return {
        "stage": "subwords",
        "version": VERSION,
        "num_units": clusters,
        **{f"{name}_subwords": size for name, size in sizes.items()},
        "text_model": text_model.as_card() if text_model else None,
        "kmeans": units_card["kmeans"] if units_card else None,
        "hashes": {name: hash_file(folder / name) for name in MODEL_NAMES},
    }
