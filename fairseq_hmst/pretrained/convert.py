"""From a text model to what training starts from: its rows for a data-bin's symbols, and drawn rows for new ones."""

from argparse import Namespace
from dataclasses import dataclass
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor

from ..data.data_bin import DataBin
from ..models.aed import AedConfig, AedModel
from ..models.mbart import FORMAT, TEXT_EMBEDDING, UNIT_EMBEDDING, PretrainedModelError
from .text_model import MASK_SYMBOL, TextModel


@dataclass(frozen=True)
class Row:
    """One kind of symbol: how many the data-bin has, how many of these keep the model's row, how many the model has."""

    kind: str
    in_data_bin: int
    kept: int
    in_model: int


def convert(text_model: TextModel, data_bin: DataBin, seed: int) -> dict[str, Any]:
    """What PretrainedModel.read reads, for this data-bin.

    Rows are matched by symbol. New rows are drawn from a normal distribution with the mean and the standard deviation,
    dimension by dimension, of the rows that are kept.

    Raises:
        PretrainedModelError: the parameters are not those that the architecture needs.
    """
    symbols = data_bin.target_dictionary.symbols
    row_of = torch.tensor([text_model.rows.get(symbol, -1) for symbol in symbols])
    text = text_model.embedding[row_of.clamp(min=0)]
    old = text[row_of >= 0]
    generator = torch.Generator().manual_seed(seed)
    num_units = len(data_bin.source_dictionary) - len(symbols)
    text[row_of < 0] = _draw_like(old, int((row_of < 0).sum()), generator)
    state = {
        TEXT_EMBEDDING: text,
        UNIT_EMBEDDING: _draw_like(old, num_units, generator),
        **text_model.state,
    }
    check_parameters(state, text_model.architecture, data_bin)
    return {
        "format": FORMAT,
        "architecture": text_model.architecture,
        "state": {name: tensor.detach().contiguous() for name, tensor in state.items()},
        "card": {
            "text_model": data_bin.card["text_model"],
            "dictionaries": data_bin.fingerprint,
            "seed": seed,
        },
    }


def check_parameters(state: dict[str, Tensor], architecture: dict[str, Any], data_bin: DataBin) -> None:
    """Compare with a model of this architecture that takes no memory.

    Raises:
        PretrainedModelError: a parameter is missing, has another shape, or has no place.
    """
    config = OmegaConf.merge(OmegaConf.structured(AedConfig), architecture)
    task = Namespace(
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
        raise PretrainedModelError(f"{len(differing)} parameters are not those of an mBART of this size: {details}")


def coverage(text_model: TextModel, data_bin: DataBin) -> list[Row]:
    """What becomes of the rows of the embedding; a symbol that the model does not know has a drawn row."""
    dictionary = data_bin.target_dictionary
    texts, first_symbol = dictionary.symbols, dictionary.nspecial + data_bin.card["dictionary"]["target_subwords"]
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
        Row(kind, len(ours), sum(symbol in in_model for symbol in ours), len(theirs))
        for kind, (ours, theirs) in kinds.items()
    ]


def _draw_like(rows: Tensor, number: int, generator: torch.Generator) -> Tensor:
    """(number, D) from a normal distribution with mean and standard deviation, in each dimension, of `rows` (N, D)."""
    noise = torch.randn(number, rows.size(1), generator=generator)
    return rows.mean(0) + rows.std(0, correction=0) * noise


def _shape(shape: torch.Size | None) -> str:
    return "none" if shape is None else " x ".join(map(str, shape))
