"""A family of text models: what tells its models from those of others."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from preprocess.files.text_models import TextModelFamily

Positions = Literal["learned from 2", "sinusoids from 2", "sinusoids from 0"]


@dataclass(frozen=True)
class RowNames:
    """Symbols of a text model.

    Attributes:
        rows: symbol (piece, language symbol such as de_DE, special symbol) -> row of the embedding.
        languages: its language symbols, which are among `rows`.
    """

    rows: dict[str, int]
    languages: list[str]


@dataclass(frozen=True)
class Family:
    """Structure of the models of a class of transformers, which is not in their options.

    Attributes:
        models: the class, and its files.
        conventions: keys of languages.CONVENTIONS.
        post_norm: whether layer norms come after each part of a layer; else before, and one after the last layer.
        positions: learned or sinusoids, and the row of the first one. Two rows before it stay unused.
        layernorm_embedding: whether there is a layer norm after the embeddings.
        output_bias: whether the output has a bias of each type.
        start_with_padding: whether the decoder starts from <pad>; else from </s> or a language symbol.
        name_rows: what a folder with an embedding of some number of rows has in these, for a convention.
    """

    models: TextModelFamily
    conventions: tuple[str, ...]
    post_norm: bool
    positions: Positions
    layernorm_embedding: bool
    output_bias: bool
    start_with_padding: bool
    name_rows: Callable[[Path, int, str], RowNames]
