"""Tiny M2M-100, NLLB and Opus-MT models with random weights, real SentencePiece models and tokenizers that they saved.

Sizes are odd: other numbers of layers and heads in encoder and decoder, and widths that are no powers of two.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tiny_mbart import OTHER_WORDS, train_sentencepiece
from toy import toy_sentences, translate

LAYERS = {"encoder_layers": 2, "decoder_layers": 3, "encoder_ffn_dim": 24, "decoder_ffn_dim": 40}
M2M_SIZES = {"d_model": 30, "encoder_attention_heads": 3, "decoder_attention_heads": 5, "scale_embedding": True}
NLLB_SIZES = {"d_model": 18, "encoder_attention_heads": 3, "decoder_attention_heads": 2, "scale_embedding": True}
OPUS_SIZES = {"d_model": 21, "encoder_attention_heads": 3, "decoder_attention_heads": 7, "scale_embedding": True}
SIZES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "m2m-100": M2M_SIZES,
        "nllb-200": NLLB_SIZES,
        "nllb-200-legacy": NLLB_SIZES | {"scale_embedding": False, "activation_function": "gelu"},
        "opus-mt": OPUS_SIZES,
        "opus-mt-several": OPUS_SIZES | {"d_model": 12, "decoder_attention_heads": 2, "scale_embedding": False},
    }
)
CONVENTIONS = tuple(SIZES)
OPUS_SYMBOLS = (">>deu<<", ">>fra<<", ">>ita<<")


def write_text_model(folder: Path, convention: str, seed: int = 0, more_rows: int = 0, **config: object) -> Path:
    """Write a folder as Hugging Face's users have it.

    Args:
        folder: where to; made if need be.
        convention: one of CONVENTIONS.
        seed: of the weights.
        more_rows: of the embedding, which no symbol has.
        config: fields of the model's configuration, in place of these sizes.
    """
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    write = write_opus_tokenizer if convention.startswith("opus") else write_m2m_tokenizer
    num_rows = write(folder, convention) + more_rows
    torch.manual_seed(seed)
    # init_std: with transformers' own 0.02 all logits would be nearly the same
    options = {**LAYERS, **SIZES[convention], "vocab_size": num_rows, "init_std": 0.3, "dropout": 0.1} | config
    make = make_marian if convention.startswith("opus") else make_m2m
    make(folder, options).save_pretrained(folder)
    return folder


def make_m2m(folder: Path, options: dict[str, Any]) -> Any:
    """An M2M100ForConditionalGeneration."""
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    return M2M100ForConditionalGeneration(M2M100Config(**{"max_position_embeddings": 256} | options))


def make_marian(folder: Path, options: dict[str, Any]) -> Any:
    """A MarianMTModel whose output has a bias."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    rows = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    tokens = {"pad_token_id": rows["<pad>"], "eos_token_id": 0, "decoder_start_token_id": rows["<pad>"]}
    defaults = {"max_position_embeddings": 256, "activation_function": "swish", "forced_eos_token_id": 0}
    model = MarianMTModel(MarianConfig(**tokens | defaults | {"decoder_vocab_size": options["vocab_size"]} | options))
    with torch.no_grad():
        model.final_logits_bias += torch.randn(model.final_logits_bias.shape)
        tables = dict.fromkeys(side.embed_tokens.weight for side in (model.model.encoder, model.model.decoder))
        for table in tables:  # one or two
            table[rows["<pad>"]] = 0.3 * torch.randn(model.config.d_model)
    return model


def write_m2m_tokenizer(folder: Path, convention: str) -> int:
    """Write the tokenizer of M2M-100 or NLLB; the number of rows that its symbols need."""
    from sentencepiece import SentencePieceProcessor
    from transformers import M2M100Tokenizer

    is_nllb = convention.startswith("nllb")
    content = train_sentencepiece(num_pieces=70 if is_nllb else 48, model_type="bpe" if is_nllb else "unigram")
    path = folder / "sentencepiece.bpe.model"
    path.write_bytes(content)
    model = SentencePieceProcessor(model_proto=content)
    if is_nllb:
        from preprocess.files.languages import CONVENTIONS as KNOWN

        symbols = KNOWN[convention].symbols
        settings = {"tokenizer_class": "NllbTokenizer", "additional_special_tokens": symbols}  # as published
        settings |= {"legacy_behaviour": convention.endswith("legacy")}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        return len(model) + 1 + len(symbols) + 1
    pieces = [model.id_to_piece(index) for index in range(3, len(model))]
    random.Random(1).shuffle(pieces)  # rows are in the order of vocab.json alone
    known = ["<s>", "<pad>", "</s>", "<unk>", *pieces[:-1]]  # the last piece has no row
    (folder / "vocab.json").write_text(json.dumps({piece: row for row, piece in enumerate(known)}), encoding="utf-8")
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(path), src_lang="en", tgt_lang="fr")
    tokenizer.save_pretrained(folder)
    return len(known) + 100


def write_opus_tokenizer(folder: Path, convention: str) -> int:
    """Write the tokenizer of Opus-MT, English to French or to several; the number of its rows."""
    from sentencepiece import SentencePieceProcessor
    from transformers import MarianTokenizer

    english = [sentence for _, sentence, _ in toy_sentences(300, seed=99)]
    targets = ("fr",) if convention == "opus-mt" else ("fr", "de")
    texts = {"source": [*english, *OTHER_WORDS], "target": [translate(text, t) for text in english for t in targets]}
    pieces: list[str] = []
    for side, lines in texts.items():
        content = train_sentencepiece(lines, num_pieces=40)
        (folder / f"{side}.spm").write_bytes(content)
        model = SentencePieceProcessor(model_proto=content)
        pieces += [model.id_to_piece(index) for index in range(3, len(model))]
    pieces = list(dict.fromkeys(pieces))
    random.Random(1).shuffle(pieces)
    symbols = [] if convention == "opus-mt" else OPUS_SYMBOLS
    known = ["</s>", "<unk>", *pieces[:-1], *symbols, "<pad>"]  # the last piece has no row
    (folder / "vocab.json").write_text(json.dumps({piece: row for row, piece in enumerate(known)}), encoding="utf-8")
    files = (str(folder / name) for name in ("source.spm", "target.spm", "vocab.json"))
    target = "fr" if convention == "opus-mt" else "roa"
    MarianTokenizer(*files, source_lang="en", target_lang=target).save_pretrained(folder)
    return len(known)
