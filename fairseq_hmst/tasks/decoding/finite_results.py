"""NaN in a search or a validation: which model, which example."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from preprocess.errors import NotFiniteError

from ...data.batch import Batch, rows_of, single_rows
from ...data.example_names import example_names, list_names

if TYPE_CHECKING:
    from ...generators.hypothesis import GeneratedHypothesis
    from ...models.hmst_model import HmstModel

    Search = Callable[..., list[list[GeneratedHypothesis]]]

LOST_MODEL = "go on from an earlier checkpoint with a lower --lr or --clip-norm 1, and --bf16 in place of --fp16"


def search_finite(
    search: "Search", generator: object, models: "Sequence[HmstModel]", sample: Batch, **options: object
) -> "list[list[GeneratedHypothesis]]":
    """Decode a batch; where a model gives NaN, find the example.

    Args:
        search: fairseq's `inference_step`.
        generator, models, sample: of it.
        options: of it; tensors have a row an example.

    Raises:
        NotFiniteError: the places are the models' files, and the first example that leads to it by itself.
    """
    try:
        return search(generator, models, sample, **options)
    except NotFiniteError as error:
        if len(sample["id"]) > 1:
            for row in single_rows(len(sample["id"])):
                search_finite(search, generator, models, rows_of(sample, row), **rows_of(options, row))
        origins = dict.fromkeys(model.origin for model in models if model.origin)
        raise error.at(*filter(None, (", ".join(origins), list_names(example_names(sample))))) from error


@contextlib.contextmanager
def validating(loss: Tensor, sample: Batch, num_updates: int) -> Iterator[None]:
    """Refuse a batch of a validation whose loss or search, in the block, is NaN.

    Raises:
        NotFiniteError: the outermost place is the validation, by the number of updates before it.
    """
    place = f"validation after update {num_updates}"
    if not torch.isfinite(loss):
        names = list_names(example_names(sample))
        raise NotFiniteError(f"the loss is NaN or infinite; the batch has {names}", place=place, advice=LOST_MODEL)
    try:
        yield
    except NotFiniteError as error:
        raise error.at(place) from error
