"""Parameters of published text models, whole and in a data-bin's dictionaries; nothing is downloaded.

python examples/text_start/parameters.py [--pieces 30000] [--units 4000]
"""

import argparse
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import torch
from fairseq.data import Dictionary
from omegaconf import OmegaConf
from transformers import M2M100Config, M2M100ForConditionalGeneration, MarianConfig, MarianMTModel, PreTrainedModel

from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.models.aed import AedConfig, AedModel
from fairseq_hmst.models.hmst_model import ModelTask
from fairseq_hmst.models.pretrained import FINETUNE_CHOICES, is_trained

ADAM_BYTES = 16  # float32 weight, gradient and two moments
MARIAN = {"marian_positions": True, "post_norm": True, "output_bias": True, "start_with_padding": True}


@dataclass(frozen=True)
class Published:
    """Sizes of a published model, by its config.json.

    Attributes:
        name: on the hub.
        rows: of its embedding.
        symbols: language symbols and <mask>, which are all kept.
        layers: of encoder and of decoder.
        width, inner, heads: of layers.
    """

    name: str
    rows: int
    symbols: int
    layers: int
    width: int
    inner: int
    heads: int

    @property
    def is_marian(self) -> bool:
        """Whether it is an Opus-MT."""
        return self.name.startswith("Helsinki")


PUBLISHED = (
    Published("facebook/nllb-200-distilled-600M", 256_206, 203, 12, 1024, 4096, 16),
    Published("facebook/m2m100_418M", 128_112, 100, 12, 1024, 4096, 16),
    Published("Helsinki-NLP/opus-mt-en-de", 58_101, 0, 6, 512, 2048, 8),
)


def build(model: Published, pieces: int, units: int) -> AedModel:
    """Build our model, without memory for its parameters."""
    target, source = (dictionary_of(pieces + model.symbols + number) for number in (0, units))
    data_bin = SimpleNamespace(
        card=SimpleNamespace(text_model=model.name), language_symbols=LanguageSymbolIds(target.eos())
    )
    task = SimpleNamespace(source_dictionary=source, target_dictionary=target, data_bin=data_bin)
    sizes = {"embed_dim": model.width, "ffn_embed_dim": model.inner, "attention_heads": model.heads}
    sizes |= {"encoder_layers": model.layers, "decoder_layers": model.layers, "share_embeddings": True}
    config = OmegaConf.merge(OmegaConf.structured(AedConfig), sizes, MARIAN if model.is_marian else {})
    with torch.device("meta"):
        return AedModel(cast(AedConfig, config), cast(ModelTask, task))


def dictionary_of(size: int) -> Dictionary:
    """A dictionary of so many symbols beside fairseq's own."""
    dictionary = Dictionary()
    for number in range(size):
        dictionary.add_symbol(str(number))
    return dictionary


def count_published(model: Published) -> int:
    """Trainable parameters of transformers' own model of these sizes."""
    sizes = {"vocab_size": model.rows, "d_model": model.width}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": model.layers, f"{side}_ffn_dim": model.inner}
        sizes |= {f"{side}_attention_heads": model.heads}
    with torch.device("meta"):
        built: PreTrainedModel
        if model.is_marian:
            built = MarianMTModel(MarianConfig(**sizes, decoder_vocab_size=model.rows, pad_token_id=model.rows - 1))
        else:
            built = M2M100ForConditionalGeneration(M2M100Config(**sizes))
    return sum(parameter.numel() for parameter in built.parameters() if parameter.requires_grad)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=30_000, help="pieces of text that the data has")
    parser.add_argument("--units", type=int, default=4000, help="unit subwords")
    arguments = parser.parse_args()
    names = [f"trained by {name}" for name in FINETUNE_CHOICES]
    print(f"| | published | in the data-bin | float32 weights | with Adam | {' | '.join(names)} |")
    print("|---" * (5 + len(names)) + "|")
    for model in PUBLISHED:
        pieces = min(arguments.pieces, model.rows - model.symbols - 4)
        sizes = {
            name: parameter.numel() for name, parameter in build(model, pieces, arguments.units).named_parameters()
        }
        total = sum(sizes.values())
        trained = [sum(size for name, size in sizes.items() if is_trained(name, what)) for what in FINETUNE_CHOICES]
        print(
            f"| {model.name} | {count_published(model):,} | {total:,} | {4 * total / 2**30:.2f} GiB | "
            f"{ADAM_BYTES * total / 2**30:.1f} GiB | {' | '.join(f'{number:,}' for number in trained)} |"
        )


if __name__ == "__main__":
    main()
