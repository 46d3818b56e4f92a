"""A pretrained encoder-decoder for text, wherever it was read from, in the names of this package."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from preprocess.files.hashing import hash_file

from ..models.pretrained import Architecture, PretrainedModelError

MASK_SYMBOL = "<mask>"
NUM_RESERVED_POSITIONS = 2  # rows before that of the first position, in fairseq's tables and Hugging Face's


@dataclass
class TextModel:
    """An mBART, read whole.

    Attributes:
        name: as the user called it.
        rows: symbol (piece, language symbol such as de_DE, special symbol) -> row of the embedding.
        languages: its language symbols, which are among `rows`.
        embedding: (V, D), shared by encoder, decoder and output.
        state: parameter of AttentionDecoderModel -> tensor, all but the embedding.
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
        """Parameters of the original model, the shared embedding counted once."""
        return self.embedding.numel() + sum(tensor.numel() for tensor in self.state.values())


def check_sentencepiece(path: Path, expected: str) -> None:
    """Refuse a model whose SentencePiece model (sha256 `expected`) the data-bin was not made with.

    Raises:
        PretrainedModelError: there is no such file, or it is another one.
    """
    if not path.is_file():
        raise PretrainedModelError(
            f"lacks the tokenizer, {path.name}", place=path.parent, advice="is it the whole folder of an mBART?"
        )
    found = hash_file(path)
    if found != expected:
        raise PretrainedModelError(
            f"the data-bin was made with another SentencePiece model: its card says sha256 {expected[:12]}, but {path} "
            f"has {found[:12]}",
            advice=f"make the data-bin with --text-model {path.parent}",
        )


def read_architecture(
    state: Mapping[str, Tensor], embedding: Tensor, attention_heads: tuple[int, int], activation: str, scale: bool
) -> Architecture:
    """The architecture of a text model; sizes are read off the parameters.

    Args:
        state: see TextModel.
        embedding: see TextModel.
        attention_heads: of encoder and decoder.
        activation: fairseq's name.
        scale: whether embeddings are multiplied by the square root of the width.

    Raises:
        PretrainedModelError: the parameters are not those of an mBART: one width, pre-norm, learned positions.
    """
    for side in ("encoder", "decoder"):
        for name in ("embed_positions.weight", "layer_norm.weight", "layers.0.fc1.weight"):
            if f"{side}.{name}" not in state:
                raise PretrainedModelError(
                    "expected an mBART, which learns positions and has a layer norm after its last layer, but its "
                    f"{side} has no {name}"
                )
        width = state[f"{side}.embed_positions.weight"].size(1)
        if width != embedding.size(1):
            raise PretrainedModelError(f"the embedding has width {embedding.size(1)}, but the {side} {width}")
    return Architecture(
        encoder_type="transformer",
        embed_dim=embedding.size(1),
        ffn_embed_dim=state["encoder.layers.0.fc1.weight"].size(0),
        attention_heads=attention_heads[0],
        encoder_layers=_count_layers(state, "encoder"),
        decoder_layers=_count_layers(state, "decoder"),
        decoder_ffn_embed_dim=state["decoder.layers.0.fc1.weight"].size(0),
        decoder_attention_heads=attention_heads[1],
        max_source_positions=state["encoder.embed_positions.weight"].size(0) - NUM_RESERVED_POSITIONS,
        max_target_positions=state["decoder.embed_positions.weight"].size(0) - NUM_RESERVED_POSITIONS,
        activation_fn=activation,
        layernorm_embedding="encoder.layernorm_embedding.weight" in state,
        no_scale_embedding=not scale,
        learned_positions=True,
        share_embeddings=True,
    )


def check_shared(embedding: Tensor, others: Mapping[str, Tensor], place: object) -> None:
    """Refuse a model, read from `place`, whose embeddings of encoder, decoder and output are not one."""
    for name, tensor in others.items():
        if tensor is not embedding and not torch.equal(tensor, embedding):
            found = f"expected one embedding for encoder, decoder and output, but {name} is another"
            raise PretrainedModelError(found, place=place)


def _count_layers(state: Mapping[str, Tensor], side: str) -> int:
    return len({key.split(".")[2] for key in state if key.startswith(f"{side}.layers.")})
