"""Teach a text model of make_tiny.py to translate, with transformers and torch alone.

    python examples/text_start/pretrain.py --model DIR --manifest-dir DIR --updates 2500

It learns the text of the manifests. The weights of DIR are replaced by those of the lowest loss on dev.tsv;
DIR/score.txt has the BLEU of the text of dev with beam 5. Adam, label smoothing 0.1, a rate that rises over 100 updates
and then falls with their inverse root.
"""

import argparse
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from pieces import SPLITS, read_rows
from sacrebleu.metrics import BLEU
from torch import Tensor, nn
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

WARMUP_UPDATES = 100
VALIDATE_INTERVAL = 250
GENERATION_BATCH = 50  # sentences


@dataclass
class Text:
    """The pairs of a split, as texts and as ids."""

    sources: list[str]
    targets: list[str]
    ids: list[tuple[list[int], list[int]]]


def read_text(manifest: Path, tokenizer: PreTrainedTokenizerBase) -> Text:
    """The pairs of a manifest, in the pieces of a text model."""
    rows = read_rows(manifest)
    sources, targets = [row["src_text"] for row in rows], [row["tgt_text"] for row in rows]
    encoded = tokenizer(sources, text_target=targets)
    return Text(sources, targets, list(zip(encoded["input_ids"], encoded["labels"], strict=True)))


def batches(text: Text, max_tokens: int, padding: int) -> Iterator[dict[str, Tensor]]:
    """Endless batches of pairs of like lengths: at most `max_tokens` of source or target, padding included."""
    while True:
        order = sorted(range(len(text.ids)), key=lambda pair: (len(text.ids[pair][0]), random.random()))
        groups: list[list[int]] = [[]]
        for pair in order:
            longest = max(len(side) for other in [*groups[-1], pair] for side in text.ids[other])
            if groups[-1] and longest * (len(groups[-1]) + 1) > max_tokens:
                groups.append([])
            groups[-1].append(pair)
        random.shuffle(groups)
        for group in groups:
            yield collate([text.ids[pair] for pair in group], padding)


def collate(pairs: list[tuple[list[int], list[int]]], padding: int) -> dict[str, Tensor]:
    """Arguments of a text model."""
    sources, targets = (
        nn.utils.rnn.pad_sequence([torch.tensor(side) for side in sides], batch_first=True, padding_value=padding)
        for sides in zip(*pairs, strict=True)
    )
    return {"input_ids": sources, "attention_mask": sources.ne(padding).long(), "labels": targets}


def loss_of(model: PreTrainedModel, batch: dict[str, Tensor], smoothing: float) -> Tensor:
    """Cross-entropy in nats, mean over target pieces."""
    padding = model.config.pad_token_id
    return nn.functional.cross_entropy(
        model(**batch).logits.transpose(1, 2), batch["labels"], ignore_index=padding, label_smoothing=smoothing
    )


@torch.inference_mode()
def dev_loss(model: PreTrainedModel, dev: Text) -> float:
    """Mean of the loss over pairs, each pair by itself."""
    model.eval()
    losses = [loss_of(model, collate([pair], model.config.pad_token_id), 0.0) for pair in dev.ids]
    model.train()
    return float(torch.stack(losses).mean())


@torch.inference_mode()
def score(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, dev: Text, start: int | None) -> str:
    """BLEU of dev with beam 5, `start` being the language that the decoder is told first."""
    model.eval()
    hypotheses: list[str] = []
    for first in range(0, len(dev.sources), GENERATION_BATCH):
        batch = tokenizer(dev.sources[first : first + GENERATION_BATCH], return_tensors="pt", padding=True)
        output = model.generate(**batch, num_beams=5, max_new_tokens=200, forced_bos_token_id=start)
        first_piece = 1 if start is None else 2  # behind what the decoder starts from, and its language
        hypotheses += tokenizer.batch_decode(output[:, first_piece:], skip_special_tokens=True)
    return str(BLEU().corpus_score(hypotheses, [dev.targets]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder")
    parser.add_argument("--manifest-dir", type=Path, required=True)
    parser.add_argument("--updates", type=int, default=2500)
    parser.add_argument("--max-tokens", type=int, default=1000, help="of a batch, source or target, with padding")
    parser.add_argument("--lr", type=float, default=0.001, help="highest learning rate")
    arguments = parser.parse_args()
    languages = read_rows(arguments.manifest_dir / SPLITS["valid"])[0]
    tokenizer = AutoTokenizer.from_pretrained(
        arguments.model, src_lang=languages["src_lang"], tgt_lang=languages["tgt_lang"]
    )
    train, dev = (read_text(arguments.manifest_dir / name, tokenizer) for name in SPLITS.values())
    model = AutoModelForSeq2SeqLM.from_pretrained(arguments.model)
    torch.manual_seed(1)
    random.seed(1)
    optimizer = torch.optim.Adam(model.parameters(), arguments.lr, betas=(0.9, 0.98))
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: min((done + 1) / WARMUP_UPDATES, (WARMUP_UPDATES / (done + 1)) ** 0.5)
    )
    model.train()
    lowest, began = float("inf"), time.monotonic()
    endless = batches(train, arguments.max_tokens, model.config.pad_token_id)
    for update in range(1, arguments.updates + 1):
        loss = loss_of(model, next(endless), smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        rate.step()
        if update % VALIDATE_INTERVAL == 0 or update == arguments.updates:
            valid = dev_loss(model, dev)
            print(f"update {update}: dev loss {valid:.3f}, {time.monotonic() - began:.0f} s", flush=True)
            if valid < lowest:
                lowest = valid
                model.save_pretrained(arguments.model)
    best = AutoModelForSeq2SeqLM.from_pretrained(arguments.model)
    start = getattr(tokenizer, "get_lang_id", lambda language: None)(languages["tgt_lang"])
    result = score(best, tokenizer, dev, start)
    (arguments.model / "score.txt").write_text(result + "\n", encoding="utf-8")
    print(f"the text model on the text of dev: {result}")


if __name__ == "__main__":
    main()
