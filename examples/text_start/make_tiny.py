"""A tiny text model with random weights, as a Hugging Face folder, to try things out. It can translate nothing.

    python examples/text_start/make_tiny.py --kind nllb|m2m|opus --manifest MANIFEST.tsv --out DIR

Its SentencePiece models learn from the texts of the manifest.
"""

import argparse
import csv
import io
import json
from pathlib import Path

import sentencepiece
import torch
from transformers import M2M100Config, M2M100ForConditionalGeneration, MarianConfig, MarianMTModel, PreTrainedModel

NUM_LANGUAGES = {"m2m": 100, "nllb": 202}
LAYERS = {"encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 128, "decoder_ffn_dim": 128}
SIZES = {**LAYERS, "d_model": 64, "encoder_attention_heads": 4, "decoder_attention_heads": 4, "scale_embedding": True}


def read_texts(manifest: Path) -> dict[str, list[str]]:
    """Source and target texts of a manifest, and its languages."""
    with manifest.open(encoding="utf-8", newline="\n") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {name: [row[name] for row in rows if row[name]] for name in ("src_text", "tgt_text", "src_lang", "tgt_lang")}


def train_pieces(path: Path, lines: list[str], vocab: int) -> list[str]:
    """Write a SentencePiece model with <unk> <s> </s> first; its other pieces."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=vocab,
        hard_vocab_limit=False,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [processor.id_to_piece(index) for index in range(3, len(processor))]


def make_m2m(folder: Path, kind: str, texts: dict[str, list[str]], vocab: int) -> PreTrainedModel:
    """M2M-100 or NLLB, whose tokenizers differ."""
    pieces = train_pieces(folder / "sentencepiece.bpe.model", [*texts["src_text"], *texts["tgt_text"]], vocab)
    symbols = ["<s>", "<pad>", "</s>", "<unk>", *pieces]
    if kind == "m2m":
        write_rows(folder, symbols)
    tokenizer = {"m2m": "M2M100Tokenizer", "nllb": "NllbTokenizer"}[kind]
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer}))
    num_rows = len(symbols) + NUM_LANGUAGES[kind] + (kind == "nllb")  # <mask>
    return M2M100ForConditionalGeneration(M2M100Config(vocab_size=num_rows, **SIZES))


def make_opus(folder: Path, texts: dict[str, list[str]], vocab: int) -> PreTrainedModel:
    """Opus-MT for the languages of the manifest."""
    sides = {"source": texts["src_text"], "target": texts["tgt_text"]}
    pieces = [p for side, lines in sides.items() for p in train_pieces(folder / f"{side}.spm", lines, vocab)]
    targets = sorted(set(texts["tgt_lang"]))
    symbols = ["</s>", "<unk>", *dict.fromkeys(pieces)]
    symbols += [f">>{language}<<" for language in targets] if len(targets) > 1 else []
    write_rows(folder, [*symbols, "<pad>"])
    languages = {"source_lang": texts["src_lang"][0], "target_lang": targets[0] if len(targets) == 1 else "mul"}
    (folder / "tokenizer_config.json").write_text(json.dumps(languages))
    padding = {"pad_token_id": len(symbols), "decoder_start_token_id": len(symbols), "eos_token_id": 0}
    size = {"vocab_size": len(symbols) + 1, "decoder_vocab_size": len(symbols) + 1}
    return MarianMTModel(MarianConfig(activation_function="swish", **size, **padding, **SIZES))


def write_rows(folder: Path, symbols: list[str]) -> None:
    """Write vocab.json."""
    rows = {symbol: row for row, symbol in enumerate(symbols)}
    (folder / "vocab.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("nllb", "m2m", "opus"), required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--vocab", type=int, default=400, help="pieces of each SentencePiece model, at most")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    texts = read_texts(arguments.manifest)
    torch.manual_seed(0)
    if arguments.kind == "opus":
        model = make_opus(arguments.out, texts, arguments.vocab)
    else:
        model = make_m2m(arguments.out, arguments.kind, texts, arguments.vocab)
    model.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
