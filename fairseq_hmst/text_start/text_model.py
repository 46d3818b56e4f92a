"""A pretrained encoder-decoder for text, wherever it was read from, in the names of this package."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.pretrained import DECODER_EMBEDDING, OUTPUT_EMBEDDING, Architecture, PretrainedModelError
from .families.family import Family

NUM_RESERVED_POSITIONS = 2  # rows before that of the first position, in fairseq's tables and Hugging Face's
# whether the decoder's input and output have tables of their own -> --unshared-embeddings
UNSHARED = {(False, False): None, (False, True): "output", (True, False): "decoder", (True, True): "all"}


@dataclass
class TextModel:
    """A text model, read whole.

    Attributes:
        name: as the user called it.
        rows: symbol (piece, language symbol such as de_DE, special symbol) -> row of the embedding.
        languages: its language symbols, which are among `rows`.
        embedding: (V, D) of the encoder, and of the decoder's input and output where `state` has no others.
        state: parameter of AttentionDecoderModel -> tensor, all but the embedding. DECODER_EMBEDDING, which is of
            the output too if that has none, and OUTPUT_EMBEDDING are (V, D), a bias of the output is (V,).
        architecture: of encoder and decoder.
    """

    name: str
    rows: dict[str, int]
    languages: list[str]
    embedding: Tensor
    state: dict[str, Tensor]
    architecture: Architecture

    @property
    def num_parameters(self) -> int:
        """Parameters of the original model, each embedding counted once."""
        return self.embedding.numel() + sum(tensor.numel() for tensor in self.state.values())


def read_architecture(
    family: Family,
    state: Mapping[str, Tensor],
    embedding: Tensor,
    attention_heads: tuple[int, int],
    activation: str,
    scale: bool,
    max_positions: int,
) -> Architecture:
    """The architecture of a text model; sizes are read off the parameters.

    Args:
        family: of the model.
        state: see TextModel.
        embedding: see TextModel.
        attention_heads: of encoder and decoder.
        activation: fairseq's name.
        scale: whether embeddings are multiplied by the square root of the width.
        max_positions: of source and target, where positions are computed.

    Raises:
        PretrainedModelError: the parameters are not those of a model of the family, or of several widths.
    """
    is_learned = family.positions == "learned from 2"
    names = {"layers.0.fc1.weight": True, "layer_norm.weight": not family.post_norm}
    names["embed_positions.weight"] = is_learned
    for side in ("encoder", "decoder"):
        for name, is_needed in names.items():
            if is_needed and f"{side}.{name}" not in state:
                raise PretrainedModelError(
                    f"expected {family.models.models}, with positions {family.positions} and layer norms "
                    f"{'after' if family.post_norm else 'before'} each part, but its {side} has no {name}"
                )
        width = state[f"{side}.layers.0.fc1.weight"].size(1)
        if width != embedding.size(1):
            raise PretrainedModelError(f"the embedding has width {embedding.size(1)}, but the {side} {width}")
    positions = {
        side: len(state[f"{side}.embed_positions.weight"]) - NUM_RESERVED_POSITIONS if is_learned else max_positions
        for side in ("encoder", "decoder")
    }
    return Architecture(
        encoder_type="transformer",
        embed_dim=embedding.size(1),
        ffn_embed_dim=state["encoder.layers.0.fc1.weight"].size(0),
        attention_heads=attention_heads[0],
        encoder_layers=_count_layers(state, "encoder"),
        decoder_layers=_count_layers(state, "decoder"),
        decoder_ffn_embed_dim=state["decoder.layers.0.fc1.weight"].size(0),
        decoder_attention_heads=attention_heads[1],
        max_source_positions=positions["encoder"],
        max_target_positions=positions["decoder"],
        activation_fn=activation,
        layernorm_embedding=family.layernorm_embedding,
        no_scale_embedding=not scale,
        learned_positions=is_learned,
        share_embeddings=True,
        unshared_embeddings=UNSHARED[DECODER_EMBEDDING in state, OUTPUT_EMBEDDING in state],
        marian_positions=family.positions == "sinusoids from 0",
        post_norm=family.post_norm,
        output_bias=family.output_bias,
        start_with_padding=family.start_with_padding,
    )


def check_shared(
    embedding: Tensor, others: Mapping[str, Tensor], place: object, parts: str = "encoder, decoder and output"
) -> None:
    """Refuse a model, read from `place`, whose embeddings of these parts are not one."""
    for name, tensor in others.items():
        if tensor is not embedding and not torch.equal(tensor, embedding):
            found = f"expected one embedding for {parts}, but {name} is another"
            raise PretrainedModelError(found, place=place)


def _count_layers(state: Mapping[str, Tensor], side: str) -> int:
    return len({key.split(".")[2] for key in state if key.startswith(f"{side}.layers.")})
