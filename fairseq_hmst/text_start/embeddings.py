"""Embeddings of a model of transformers: one of encoder, decoder and output, or several.

As transformers 5 has them, `tie_word_embeddings: false` makes encoder, decoder and output three tables, and leaves
shared.weight unread; Marian's `share_encoder_decoder_embeddings: false` makes two, the decoder's being the output's.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..models.pretrained import DECODER_EMBEDDING, OUTPUT_EMBEDDING
from .text_model import check_shared

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SHARED, ENCODER, DECODER, OUTPUT = (
    f"{part}.weight" for part in ("shared", "encoder.embed_tokens", "decoder.embed_tokens", "lm_head")
)


def fill_missing(model: "PreTrainedModel", missing: Collection[str]) -> set[str]:
    """Give a model the embeddings that transformers 4 did not write; the weights that are missing still.

    With `tie_word_embeddings: false` its encoder and decoder read shared.weight, which alone it wrote; transformers 5
    draws these two at random. That shared.weight itself is missing does no harm.
    """
    still_missing, state = set(missing), model.state_dict()
    if model.config.tie_word_embeddings:
        return still_missing
    shared, both = f"model.{SHARED}", {f"model.{ENCODER}", f"model.{DECODER}"}
    if shared in state and shared not in still_missing and both <= still_missing:
        for name in both:
            state[name].copy_(state[shared])
        still_missing -= both
    return still_missing - {shared}


def take_embeddings(state: dict[str, Tensor], model: "PreTrainedModel", place: object) -> Tensor:
    """Take the encoder's embedding out of a state; the decoder's and the output's stay where they are others.

    They have their names in AttentionDecoderModel then. Embeddings of the same values are taken for one, whatever
    config.json says: the model computes the same, and its training keeps them one.

    Args:
        state: of the model, by its names without `model.`.
        model: as transformers loaded it.
        place: that it was read from.

    Raises:
        PretrainedModelError: they differ although config.json says that they are one. transformers then leaves them
            apart, with a warning, and which is right nobody knows.
    """
    encoder, decoder, output = (state.pop(name) for name in (ENCODER, DECODER, OUTPUT))
    shared = state.pop(SHARED, None)
    if model.config.tie_word_embeddings and shared is not None:
        check_shared(shared, {ENCODER: encoder, DECODER: decoder, OUTPUT: output}, place)
    elif model.config.tie_word_embeddings:
        check_shared(decoder, {OUTPUT: output}, place, "decoder and output")
    if not torch.equal(decoder, encoder):
        state[DECODER_EMBEDDING] = decoder
    if not torch.equal(output, decoder):
        state[OUTPUT_EMBEDDING] = output
    return encoder
