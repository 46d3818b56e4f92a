"""A tiny mBART with random weights, as a Hugging Face folder, to try things out.

    python examples/mbart/make_tiny_mbart.py --manifest MANIFEST.tsv [--convention mbart-50] --out DIR

Its SentencePiece model learns from both texts of the manifest. It can translate nothing.
"""

import argparse
from pathlib import Path

import sentencepiece
import torch
from pieces import read_texts, train_pieces
from transformers import MBartConfig, MBartForConditionalGeneration

NUM_LANGUAGES = {"mbart-cc25": 25, "mbart-50": 52}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--convention", choices=NUM_LANGUAGES, default="mbart-50")
    parser.add_argument("--vocab", type=int, default=400, help="pieces, at most")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    sources, targets = read_texts(arguments.manifest)
    content = train_pieces([*sources, *targets], arguments.vocab)
    num_pieces = len(sentencepiece.SentencePieceProcessor(model_proto=content))
    config = MBartConfig(
        vocab_size=num_pieces + 1 + NUM_LANGUAGES[arguments.convention] + 1,  # <pad>, the languages, <mask>
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        scale_embedding=True,
    )
    torch.manual_seed(0)
    MBartForConditionalGeneration(config).save_pretrained(arguments.out)
    (arguments.out / "sentencepiece.bpe.model").write_bytes(content)


if __name__ == "__main__":
    main()
