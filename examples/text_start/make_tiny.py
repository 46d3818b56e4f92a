"""A tiny text model with random weights, as a Hugging Face folder, to try things out. It can translate nothing.

    python examples/text_start/make_tiny.py --kind mbart-50|nllb|m2m|opus --manifest MANIFEST.tsv --out DIR

pretrain.py teaches it to. Its SentencePiece models learn from the texts of the manifest.
"""

import argparse
import json
from pathlib import Path

import sentencepiece
import torch
from pieces import NUM_CONTROL_PIECES, read_rows, train_pieces
from transformers import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    MBartConfig,
    MBartForConditionalGeneration,
    PreTrainedModel,
)

NUM_LANGUAGES = {"mbart-cc25": 25, "mbart-50": 52, "m2m": 100, "nllb": 202}
JOINT_PIECES = "sentencepiece.bpe.model"
SYMBOLS = ["<s>", "<pad>", "</s>", "<unk>"]
HEADS = {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
Sizes = dict[str, int]


def write_pieces(path: Path, lines: list[str], vocab: int) -> list[str]:
    """Write a SentencePiece model with <unk> <s> </s> first; its other pieces."""
    content = train_pieces(lines, vocab)
    path.write_bytes(content)
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    return [processor.id_to_piece(index) for index in range(NUM_CONTROL_PIECES, len(processor))]


def make_mbart(folder: Path, kind: str, rows: list[dict[str, str]], vocab: int, sizes: Sizes) -> PreTrainedModel:
    """A model of the mBART of 25 or of 50 languages."""
    pieces = write_pieces(folder / JOINT_PIECES, texts_of(rows), vocab)
    num_rows = len(SYMBOLS) + len(pieces) + NUM_LANGUAGES[kind] + 1  # <mask>
    return MBartForConditionalGeneration(MBartConfig(vocab_size=num_rows, scale_embedding=True, **sizes))


def make_m2m(folder: Path, kind: str, rows: list[dict[str, str]], vocab: int, sizes: Sizes) -> PreTrainedModel:
    """M2M-100 or NLLB, whose tokenizers differ."""
    symbols = [*SYMBOLS, *write_pieces(folder / JOINT_PIECES, texts_of(rows), vocab)]
    if kind == "m2m":
        write_rows(folder, symbols)
    tokenizer = {"m2m": "M2M100Tokenizer", "nllb": "NllbTokenizer"}[kind]
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer}))
    num_rows = len(symbols) + NUM_LANGUAGES[kind] + (kind == "nllb")  # <mask>
    return M2M100ForConditionalGeneration(M2M100Config(vocab_size=num_rows, scale_embedding=True, **sizes))


def make_opus(folder: Path, kind: str, rows: list[dict[str, str]], vocab: int, sizes: Sizes) -> PreTrainedModel:
    """Opus-MT for the languages of the manifest."""
    sides = {"source": "src_text", "target": "tgt_text"}
    pieces = [
        piece
        for side, name in sides.items()
        for piece in write_pieces(folder / f"{side}.spm", [row[name] for row in rows], vocab)
    ]
    targets = sorted({row["tgt_lang"] for row in rows})
    symbols = ["</s>", "<unk>", *dict.fromkeys(pieces)]
    symbols += [f">>{language}<<" for language in targets] if len(targets) > 1 else []
    write_rows(folder, [*symbols, "<pad>"])
    languages = {"source_lang": rows[0]["src_lang"], "target_lang": targets[0] if len(targets) == 1 else "mul"}
    (folder / "tokenizer_config.json").write_text(json.dumps(languages))
    padding = {"pad_token_id": len(symbols), "decoder_start_token_id": len(symbols), "eos_token_id": 0}
    size = {"vocab_size": len(symbols) + 1, "decoder_vocab_size": len(symbols) + 1}
    return MarianMTModel(MarianConfig(activation_function="swish", **size, **padding, scale_embedding=True, **sizes))


def texts_of(rows: list[dict[str, str]]) -> list[str]:
    """Texts of both languages."""
    return [*(row["src_text"] for row in rows), *(row["tgt_text"] for row in rows)]


def write_rows(folder: Path, symbols: list[str]) -> None:
    """Write vocab.json."""
    rows = {symbol: row for row, symbol in enumerate(symbols)}
    (folder / "vocab.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


MAKERS = {"mbart-50": make_mbart, "mbart-cc25": make_mbart, "nllb": make_m2m, "m2m": make_m2m, "opus": make_opus}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=MAKERS, required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--vocab", type=int, default=400, help="pieces of each SentencePiece model, at most")
    parser.add_argument("--width", type=int, default=64, help="of all layers; feed-forward layers have 4 times as much")
    parser.add_argument("--encoder-layers", type=int, default=2)
    parser.add_argument("--decoder-layers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = read_rows(arguments.manifest)
    sizes = {"encoder_layers": arguments.encoder_layers, "decoder_layers": arguments.decoder_layers, **HEADS}
    inner = 4 * arguments.width
    sizes |= {"d_model": arguments.width, "encoder_ffn_dim": inner, "decoder_ffn_dim": inner}
    torch.manual_seed(0)
    model = MAKERS[arguments.kind](arguments.out, arguments.kind, rows, arguments.vocab, sizes)
    model.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
