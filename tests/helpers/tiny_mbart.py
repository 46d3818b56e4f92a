"""Tiny mBARTs with random weights and a real SentencePiece model, in the two forms in which users have mBART."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

from toy import GERMAN, WORDS, toy_sentences, translate

CONVENTIONS = ("mbart-cc25", "mbart-50")
NUM_PIECES = 48  # of the SentencePiece model, its <unk>, <s> and </s> counted: some words are pieces, some are spelt
OTHER_WORDS = ["apple", "bread", "pomme", "pain", "Apfel", "Brot", "stone", "pierre", "Stein"]  # not in the toy data


def toy_lines(count: int = 300) -> list[str]:
    """English, French and German sentences of the toy corpus's words, and some of words that it does not have."""
    english = [sentence for _, sentence, _ in toy_sentences(count, seed=99)]
    known = [line for text in english for line in (text, translate(text, "fr"), translate(text, "de"))]
    return [*known, *(" ".join(OTHER_WORDS[i % 5 :: 2]) for i in range(count)), *WORDS, *GERMAN.values()]


def train_sentencepiece(
    lines: Sequence[str] | None = None, num_pieces: int = NUM_PIECES, model_type: str = "unigram"
) -> bytes:
    """A model like mBART's: unigram in spite of its file's name, <unk> <s> </s> first, text normalised by NFKC."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(toy_lines() if lines is None else lines),
        model_writer=model,
        vocab_size=num_pieces,
        model_type=model_type,
        hard_vocab_limit=False,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def language_symbols(convention: str) -> list[str]:
    """The language codes of a convention in the order of their embeddings, as transformers has them."""
    if convention.startswith("nllb"):
        from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES
    elif convention == "mbart-50":
        from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES
    else:
        from transformers.models.mbart.tokenization_mbart import FAIRSEQ_LANGUAGE_CODES
    return list(FAIRSEQ_LANGUAGE_CODES)


def write_hugging_face_mbart(
    folder: Path, convention: str = "mbart-50", lines: Sequence[str] | None = None, seed: int = 0, **config: object
) -> Path:
    """Write config.json, model.safetensors, sentencepiece.bpe.model and tokenizer_config.json into `folder`.

    Ids of its vocabulary: 0 <s>, 1 <pad>, 2 </s>, 3 <unk>, p + 1 for each later id p of the SentencePiece model, the
    language symbols, <mask>.

    Args:
        folder: where to; made if need be.
        convention: `mbart-cc25` or `mbart-50`.
        lines: text to train the SentencePiece model on; default: `toy_lines()`.
        seed: of the weights.
        config: fields of MBartConfig, in place of this tiny size.
    """
    import torch
    from sentencepiece import SentencePieceProcessor
    from transformers import MBartConfig, MBartForConditionalGeneration

    folder.mkdir(parents=True, exist_ok=True)
    model_bytes = train_sentencepiece(lines)
    (folder / "sentencepiece.bpe.model").write_bytes(model_bytes)
    num_pieces = SentencePieceProcessor(model_proto=model_bytes).get_piece_size()
    layers = {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    sizes = {"d_model": 16, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 256}
    # init_std: with transformers' own 0.02 all logits would be nearly the same
    defaults = {**layers, **sizes, "scale_embedding": True, "dropout": 0.1, "init_std": 0.3}
    torch.manual_seed(seed)
    vocab_size = num_pieces + 1 + len(language_symbols(convention)) + 1
    MBartForConditionalGeneration(MBartConfig(vocab_size=vocab_size, **defaults | config)).save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(convention)), encoding="utf-8")
    return folder


def tokenizer_config(convention: str) -> dict[str, object]:
    """tokenizer_config.json as the published folders have it."""
    mask = {"content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": True}
    shared = {"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>"}
    shared |= {"pad_token": "<pad>", "mask_token": {**mask, "__type": "AddedToken"}, "src_lang": None, "tgt_lang": None}
    if convention == "mbart-50":
        symbols = {"additional_special_tokens": language_symbols(convention), "language_codes": "ML50"}
        return {**shared, **symbols, "tokenizer_class": "MBart50Tokenizer"}
    return {**shared, "additional_special_tokens": None, "tokenizer_class": "MBartTokenizer"}


def write_fairseq_mbart(folder: Path, convention: str = "mbart-50", lines: Sequence[str] | None = None) -> Path:
    """Write sentence.bpe.model, the dictionary, ML50_langs.txt where that release has it, and an empty model.pt.

    cc25 comes with dict.txt, 50 with one dict.LANGUAGE.txt a language, all the same; no dictionary has the languages.
    """
    from sentencepiece import SentencePieceProcessor

    folder.mkdir(parents=True, exist_ok=True)
    model_bytes = train_sentencepiece(lines)
    (folder / "sentence.bpe.model").write_bytes(model_bytes)
    model = SentencePieceProcessor(model_proto=model_bytes)
    pieces = "".join(f"{model.id_to_piece(index)} 1\n" for index in range(3, model.get_piece_size()))
    names = [f"dict.{symbol}.txt" for symbol in language_symbols(convention)]
    for name in names if convention == "mbart-50" else ["dict.txt"]:
        (folder / name).write_text(pieces, encoding="utf-8", newline="\n")
    if convention == "mbart-50":
        (folder / "ML50_langs.txt").write_text("\n".join(language_symbols(convention)), encoding="utf-8")
    (folder / "model.pt").touch()
    return folder
