"""Conversion of a text model: its rows for known symbols, drawn rows for new ones."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import torch
from omegaconf import OmegaConf
from torch import Tensor

from ..data.data_bin import DataBin
from ..models.aed import AedConfig, AedModel
from ..models.pretrained import (
    DECODER_EMBEDDING,
    OUTPUT_BIAS,
    OUTPUT_EMBEDDING,
    TEXT_EMBEDDING,
    UNIT_EMBEDDING,
    Architecture,
    PretrainedCard,
    PretrainedModel,
    PretrainedModelError,
)
from .fit import check_languages, check_positions
from .symbols import MASK_SYMBOL
from .text_model import TextModel

# bias of what a text model with biases has no row of, such as <s> in Opus-MT: never written, and no share of what is
BIAS_OF_NONE = -100.0


@dataclass(frozen=True)
class SymbolCoverage:
    """Numbers of one kind of symbol, and of the rows of the embedding that are kept.

    Attributes:
        kind: of symbol.
        in_data_bin: symbols that the data-bin has.
        kept: those of them that keep the model's row.
        in_model: symbols that the model has.
    """

    kind: str
    in_data_bin: int
    kept: int
    in_model: int


def convert(text_model: TextModel, data_bin: DataBin, seed: int, path: Path) -> PretrainedModel:
    """The file for this data-bin, which `write` writes.

    Rows are matched by symbol. New rows are drawn from a normal distribution with the mean and the standard deviation,
    dimension by dimension, of the rows that are kept of the same table; those of units, of the encoder's.

    Args:
        text_model: what to start from.
        data_bin: made with this text model's pieces.
        seed: of the rows that are drawn.
        path: of the file.

    Raises:
        PretrainedModelError: the model does not fit the data-bin, or its parameters are not those that the
            architecture needs.
    """
    if data_bin.card.text_model is None:
        raise PretrainedModelError("was made without a text model", place=data_bin.path)
    check_languages(text_model, data_bin)
    check_positions(text_model, data_bin)
    symbols = data_bin.target_dictionary.symbols
    row_of = torch.tensor([text_model.rows.get(symbol, -1) for symbol in symbols])
    generator = torch.Generator().manual_seed(seed)
    num_units = len(data_bin.source_dictionary) - len(symbols)
    text = _take_rows(text_model.embedding, row_of, generator)
    state = {
        TEXT_EMBEDDING: text,
        UNIT_EMBEDDING: _draw_like(text[row_of >= 0], num_units, generator),
        **text_model.state,
    }
    for name in (DECODER_EMBEDDING, OUTPUT_EMBEDDING):
        if name in state:
            state[name] = _take_rows(state[name], row_of, generator)
    if OUTPUT_BIAS in state:
        bias = state[OUTPUT_BIAS][row_of.clamp(min=0)]
        state[OUTPUT_BIAS] = bias.masked_fill(row_of < 0, BIAS_OF_NONE)
    check_parameters(state, text_model.architecture, data_bin)
    return PretrainedModel(
        path,
        text_model.architecture,
        {name: tensor.detach().contiguous() for name, tensor in state.items()},
        PretrainedCard(data_bin.card.text_model, data_bin.fingerprint, seed),
    )


def check_parameters(state: Mapping[str, Tensor], architecture: Architecture, data_bin: DataBin) -> None:
    """Compare with a model of this architecture that takes no memory.

    Raises:
        PretrainedModelError: a parameter is missing, has another shape, or has no place.
    """
    config = cast(AedConfig, OmegaConf.merge(OmegaConf.structured(AedConfig), asdict(architecture)))
    task = SimpleNamespace(
        source_dictionary=data_bin.source_dictionary, target_dictionary=data_bin.target_dictionary, data_bin=data_bin
    )
    with torch.device("meta"):
        expected = {name: tensor.shape for name, tensor in AedModel(config, task).named_parameters()}
    found = {name: tensor.shape for name, tensor in state.items()}
    differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if differing:
        details = "; ".join(
            f"{name}: expected {_shape(expected.get(name))}, found {_shape(found.get(name))}" for name in differing[:3]
        )
        raise PretrainedModelError(f"{len(differing)} parameters are not those of such a model of this size: {details}")


def coverage(text_model: TextModel, data_bin: DataBin) -> list[SymbolCoverage]:
    """Rows of the embedding that are kept, by kind of symbol; one that the model does not know has a drawn row."""
    dictionary = data_bin.target_dictionary
    texts, first_symbol = dictionary.symbols, dictionary.nspecial + data_bin.card.dictionary.target_subwords
    specials = {*texts[: dictionary.nspecial], MASK_SYMBOL}
    languages = set(text_model.languages)
    in_model = text_model.rows.keys()
    kinds = {
        "pieces of text": (texts[dictionary.nspecial : first_symbol], in_model - languages - specials),
        "language symbols": ([text for text in texts[first_symbol:] if text not in specials], languages),
        "special symbols": ([text for text in texts if text in specials], in_model & specials),
        "unit subwords": (data_bin.source_dictionary.symbols[len(dictionary) :], set()),
    }
    return [
        SymbolCoverage(kind, len(ours), sum(symbol in in_model for symbol in ours), len(theirs))
        for kind, (ours, theirs) in kinds.items()
    ]


def describe(text_model: TextModel, data_bin: DataBin, pretrained: PretrainedModel) -> str:
    """A table of what was kept of the model, as lines of text."""
    size = text_model.architecture
    lines = [
        f"{text_model.name}: {size.encoder_layers} + {size.decoder_layers} layers of width {size.embed_dim}, "
        f"{size.max_source_positions} positions",
        f"{'':18}{'data-bin':>14}{'kept':>14}{'model':>14}",
    ]
    for row in coverage(text_model, data_bin):
        lines.append(f"{row.kind:18}{row.in_data_bin:14,}{row.kept:14,}{row.in_model:14,}")
    num_parameters = sum(tensor.numel() for tensor in pretrained.state.values())
    lines.append(f"{'parameters':18}{num_parameters:14,}{'':14}{text_model.num_parameters:14,}")
    return "\n".join(lines)


def _take_rows(table: Tensor, row_of: Tensor, generator: torch.Generator) -> Tensor:
    """Rows of a table by their numbers (V,); -1: one that is drawn like those that are taken."""
    rows = table[row_of.clamp(min=0)]
    rows[row_of < 0] = _draw_like(rows[row_of >= 0], int((row_of < 0).sum()), generator)
    return rows


def _draw_like(rows: Tensor, number: int, generator: torch.Generator) -> Tensor:
    """Draw rows (number, D) from a normal distribution.

    Its mean and standard deviation, in each dimension, are those of `rows` (N, D).
    """
    noise = torch.randn(number, rows.size(1), generator=generator)
    return rows.mean(0) + rows.std(0, correction=0) * noise


def _shape(shape: torch.Size | None) -> str:
    return "none" if shape is None else " x ".join(map(str, shape))
