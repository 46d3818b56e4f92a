"""The stage `subwords`: the SentencePiece models of units, source text and target text; `Subwords` applies them.

A vocabulary of n holds n pieces beside SentencePiece's own <unk>. All units of the k-means are pieces of the unit
model, also those that the training data happens not to have. Text is only normalised as `normalise_text` does, so
decoding gives it back exactly.
"""

import argparse
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .card import VERSION, Card, check_hashes, hash_file, read_card, write_card
from .errors import MismatchError
from .manifest import read_manifest
from .outputs import whole_folder
from .provenance import read_units_card
from .sentencepiece_training import train_model
from .text import normalise_text, read_text
from .units import read_units, units_to_text

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

logger = logging.getLogger(__name__)

MODEL_NAMES = ("unit.model", "source.model", "target.model")


@dataclass(frozen=True)
class Subwords:
    """The three SentencePiece models of a finished subwords folder; id 0 of each is <unk>."""

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
    """The pieces of a model in the order of their ids, without <unk> (id 0)."""
    return [model.id_to_piece(index) for index in range(1, model.get_piece_size())]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the stage `subwords`."""
    parser.add_argument("--units", type=Path, required=True, help="one .units file, usually train.units")
    for side in ("source", "target"):
        parser.add_argument(
            f"--{side}-text",
            type=Path,
            nargs="+",
            required=True,
            metavar="FILE",
            help=f"text files, one sentence a line, or manifests (.tsv), whose {side} texts are taken",
        )
    for name in ("unit", "source", "target"):
        parser.add_argument(
            f"--{name}-vocab", type=int, default=4000, help=f"number of {name} pieces; default %(default)s"
        )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def run(arguments: argparse.Namespace) -> None:
    """The stage `subwords`: units and texts -> folder of three models."""
    units_card = read_units_card(arguments.units)
    utterances = [units for _, units in read_units(arguments.units)]
    clusters = _count_clusters(arguments.units, utterances, units_card)
    texts = {
        "source": read_texts(arguments.source_text, "src_text"),
        "target": read_texts(arguments.target_text, "tgt_text"),
    }
    with whole_folder(arguments.out) as folder:
        logger.info("training the unit model on %d utterances of %d units", len(utterances), clusters)
        model = train_model(
            [units_to_text(units) for units in utterances],
            arguments.unit_vocab,
            f"--unit-vocab of {arguments.units}",
            is_text=False,
            alphabet=units_to_text(range(clusters)),
        )
        (folder / "unit.model").write_bytes(model)
        for side, lines in texts.items():
            logger.info("training the %s model on %d sentences", side, len(lines))
            paths = ", ".join(map(str, getattr(arguments, f"{side}_text")))
            model = train_model(lines, getattr(arguments, f"{side}_vocab"), f"--{side}-vocab of {paths}", is_text=True)
            (folder / f"{side}.model").write_bytes(model)
        write_card(folder, _make_card(arguments, folder, clusters, units_card))


def read_texts(paths: Iterable[Path], column: str) -> list[str]:
    """Normalised, non-empty sentences of text files and of one column of manifests (`*.tsv`), in their order.

    Raises:
        ManifestError: a file cannot be read, or a manifest is not in its form.
    """
    lines: list[str] = []
    for path in paths:
        if path.suffix == ".tsv":
            texts = [normalise_text(getattr(utterance, column)) for utterance in read_manifest(path)]
        else:
            texts = [text for _, text in read_text(path)]
        lines += filter(None, texts)
    return lines


def _count_clusters(path: Path, utterances: list[list[int]], card: Card | None) -> int:
    """K of the k-means where it is known, else the highest unit + 1."""
    highest = max(max(units) for units in utterances)
    if card is None:
        return highest + 1
    clusters = card["kmeans"]["clusters"]
    if highest >= clusters:
        raise MismatchError(f"{path} holds unit {highest}, but its card says {clusters} clusters; make the units again")
    return clusters


def _make_card(arguments: argparse.Namespace, folder: Path, clusters: int, units_card: Card | None) -> Card:
    return {
        "stage": "subwords",
        "version": VERSION,
        "num_units": clusters,
        "unit_subwords": arguments.unit_vocab,
        "source_subwords": arguments.source_vocab,
        "target_subwords": arguments.target_vocab,
        "kmeans": units_card["kmeans"] if units_card else None,
        "hashes": {name: hash_file(folder / name) for name in MODEL_NAMES},
    }
