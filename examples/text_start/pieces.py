"""One SentencePiece model for both languages of manifests, and their texts in its pieces.

    python examples/text_start/pieces.py --manifest-dir DIR --source en_XX --target fr_XX --vocab 800 --out OUT

The files are those that fairseq's mBART has. OUT/sentence.bpe.model learns from train.tsv alone; OUT/dict.txt has all
its pieces, OUT/ML50_langs.txt the languages of mBART-50; OUT/{train,valid}.en_XX and .fr_XX have the texts of train.tsv
and dev.tsv as pieces separated by spaces, for fairseq-preprocess.
"""

import argparse
import csv
import io
from pathlib import Path

import sentencepiece
from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES

SPLITS = {"train": "train.tsv", "valid": "dev.tsv"}
NUM_CONTROL_PIECES = 3  # <unk>, <s>, </s>: fairseq's dictionaries have their own


def read_rows(manifest: Path) -> list[dict[str, str]]:
    """The rows that have both texts."""
    with manifest.open(encoding="utf-8", newline="\n") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if row["src_text"] and row["tgt_text"]]


def read_texts(manifest: Path) -> tuple[list[str], list[str]]:
    """Source texts and target texts of the rows that have both."""
    rows = read_rows(manifest)
    return [row["src_text"] for row in rows], [row["tgt_text"] for row in rows]


def train_pieces(lines: list[str], vocab: int) -> bytes:
    """A SentencePiece model like mBART's: unigram, <unk> <s> </s> first, text normalised by NFKC; at most `vocab`."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=vocab,
        hard_vocab_limit=False,
        character_coverage=1.0,
        num_threads=1,  # the same pieces every time
        minloglevel=2,
    )
    return model.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest-dir", type=Path, required=True)
    parser.add_argument("--source", required=True, help="language symbol, such as en_XX")
    parser.add_argument("--target", required=True, help="language symbol, such as fr_XX")
    parser.add_argument("--vocab", type=int, default=800, help="pieces")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    texts = {split: read_texts(arguments.manifest_dir / name) for split, name in SPLITS.items()}
    content = train_pieces([line for side in texts["train"] for line in side], arguments.vocab)
    (arguments.out / "sentence.bpe.model").write_bytes(content)
    model = sentencepiece.SentencePieceProcessor(model_proto=content)
    lines = [f"{model.id_to_piece(index)} 1\n" for index in range(NUM_CONTROL_PIECES, len(model))]
    (arguments.out / "dict.txt").write_text("".join(lines), encoding="utf-8")
    (arguments.out / "ML50_langs.txt").write_text("".join(f"{symbol}\n" for symbol in FAIRSEQ_LANGUAGE_CODES))
    for split, sides in texts.items():
        for symbol, side in zip((arguments.source, arguments.target), sides, strict=True):
            pieces = "".join(" ".join(model.encode(line, out_type=str)) + "\n" for line in side)
            (arguments.out / f"{split}.{symbol}").write_text(pieces, encoding="utf-8")


if __name__ == "__main__":
    main()
