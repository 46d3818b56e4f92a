"""Examples and their text twins, padded into one batch."""

from collections.abc import Sequence

import torch
from fairseq.data import data_utils
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .batch import Batch, NetInput, OnHost, StreamExample
from .language_symbols import LanguageSymbolIds
from .stream_rows import STREAM_NAMES
from .twins import sort_with_twins

PADDING = 1  # fairseq's id in every dictionary


def collate(samples: Sequence[StreamExample], symbols: LanguageSymbolIds) -> Batch:
    """A batch, padded on the right, by falling source length.

    Without targets, prev_output_tokens holds what the decoder reads before a translation.

    Args:
        samples: examples of one dataset, one at least.
        symbols: of the data-bin, which give `prev_output_tokens` and `target` their form.
    """
    batch = _collate(samples, symbols)
    return {**batch, "on_host": OnHost(batch)}


def pad(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Rows of tokens of any dictionary, padded on the right, (B, T), and their lengths (B,)."""
    padded = data_utils.collate_tokens(rows, PADDING)
    return padded, torch.tensor([len(row) for row in rows])


def _collate(samples: Sequence[StreamExample], symbols: LanguageSymbolIds) -> Batch:
    samples, twins = sort_with_twins(samples, STREAM_NAMES.index("mt"))
    # fairseq pads the source on the left by default; CTC and RNN-T need frame 0 at index 0
    sources, source_lengths = pad([sample["source"] for sample in samples])
    net_input: NetInput = {"src_tokens": sources, "src_lengths": source_lengths}
    batch: Batch = {
        "id": torch.tensor([sample["id"] for sample in samples]),
        "origin": [sample["origin"] for sample in samples],
        "stream": torch.tensor([sample["stream"] for sample in samples]),
        "twin": twins,
        "nsentences": len(samples),
        "ntokens": int(source_lengths.sum()),
        "net_input": net_input,
        "target": None,
    }
    if samples[0]["target"] is None:
        starts = [symbols.decoder_start(sample["target_language"]) for sample in samples]
        net_input["prev_output_tokens"] = torch.stack(starts)
        return batch
    targets = [sample["target"] for sample in samples if sample["target"] is not None]
    net_input["prev_output_tokens"], _ = pad([symbols.decoder_input(target) for target in targets])
    batch["target"], lengths = pad([symbols.decoder_output(target) for target in targets])
    batch["ntokens"] = int(lengths.sum())
    batch["labels"], batch["label_lengths"] = pad([symbols.labels(target) for target in targets])
    batch["transcript"], batch["transcript_lengths"] = _pad_transcripts(samples)
    seconds = [sample["second"] for sample in samples if sample["second"] is not None]
    if seconds:
        tokens, lengths = pad([second.source for second in seconds])
        batch["second_view"] = {"src_tokens": tokens, "src_lengths": lengths}
        steps = [torch.from_numpy(second.shared_steps) for second in seconds]
        batch["shared_steps"] = pad_sequence(steps, batch_first=True, padding_value=-1)
    return batch


def _pad_transcripts(samples: Sequence[StreamExample]) -> tuple[Tensor, Tensor]:
    """Transcripts without eos, and their lengths; -1 where none is known."""
    known = [sample["transcript"] for sample in samples]
    padded, lengths = pad([torch.zeros(0, dtype=torch.int64) if row is None else row[:-1] for row in known])
    return padded, lengths.masked_fill(lengths == 0, -1)
