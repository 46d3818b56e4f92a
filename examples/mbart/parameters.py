"""Parameters of mbart-large-50 as published, and in a data-bin's dictionaries; nothing is downloaded.

python examples/mbart/parameters.py [--pieces 30000] [--units 4000]
"""

import argparse
from types import SimpleNamespace
from typing import cast

import torch
from fairseq.data import Dictionary
from omegaconf import OmegaConf
from transformers import MBartConfig, MBartForConditionalGeneration

from fairseq_hmst.models.aed import AedConfig, AedModel
from fairseq_hmst.models.hmst_model import ModelTask
from fairseq_hmst.models.pretrained import is_trained

NUM_PIECES, NUM_LANGUAGES, NUM_SPECIALS = 249_997, 52, 5  # rows of mbart-large-50's embedding: 250 054
# published sizes, in the names of this package
ARCHITECTURE = {
    "embed_dim": 1024,
    "ffn_embed_dim": 4096,
    "attention_heads": 16,
    "encoder_layers": 12,
    "decoder_layers": 12,
    "max_source_positions": 1024,
    "max_target_positions": 1024,
    "activation_fn": "gelu",
    "layernorm_embedding": True,
    "learned_positions": True,
    "share_embeddings": True,
}
ADAM_BYTES = 16  # float32 weight, gradient and two moments


def build(num_pieces: int, num_units: int) -> AedModel:
    """Build our model, without memory for its parameters."""
    target, source = (dictionary_of(num_pieces + NUM_LANGUAGES + 1 + units) for units in (0, num_units))
    data_bin = SimpleNamespace(card=SimpleNamespace(text_model="mbart-large-50"))  # there is one, of whatever kind
    task = SimpleNamespace(source_dictionary=source, target_dictionary=target, data_bin=data_bin)
    config = cast(AedConfig, OmegaConf.merge(OmegaConf.structured(AedConfig), ARCHITECTURE))
    with torch.device("meta"):
        return AedModel(config, cast(ModelTask, task))


def dictionary_of(size: int) -> Dictionary:
    """A dictionary of so many symbols beside fairseq's own."""
    dictionary = Dictionary()
    for number in range(size):
        dictionary.add_symbol(str(number))
    return dictionary


def count_published() -> int:
    """Parameters of Hugging Face's own model, whose sizes are its default."""
    with torch.device("meta"):
        model = MBartForConditionalGeneration(MBartConfig(vocab_size=NUM_PIECES + NUM_LANGUAGES + NUM_SPECIALS))
    return sum(parameter.numel() for parameter in model.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=30_000, help="pieces of text that the data has")
    parser.add_argument("--units", type=int, default=4000, help="unit subwords")
    arguments = parser.parse_args()
    print(f"as published, by transformers: {count_published():,}\n")
    print("| | embeddings | all parameters | float32 weights | with Adam | trained by lna |")
    print("|---|---|---|---|---|---|")
    for title, pieces in (("all pieces", NUM_PIECES), (f"{arguments.pieces:,} pieces", arguments.pieces)):
        parameters = dict(build(pieces, arguments.units).named_parameters())
        total = sum(parameter.numel() for parameter in parameters.values())
        tables = sum(parameter.numel() for name, parameter in parameters.items() if "embed_tokens" in name)
        trained = sum(parameter.numel() for name, parameter in parameters.items() if is_trained(name, "lna"))
        print(
            f"| {title} + {arguments.units:,} units | {tables:,} | {total:,} | {4 * total / 2**30:.2f} GiB | "
            f"{ADAM_BYTES * total / 2**30:.1f} GiB | {trained:,} |"
        )


if __name__ == "__main__":
    main()
