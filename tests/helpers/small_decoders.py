"""Small random models with each search, decoding a batch of two as fairseq-generate does."""

import copy
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from fairseq import utils
from toy import batch_of, build_model, build_task

from fairseq_hmst.data.labels import BLANK_INDEX
from fairseq_hmst.generators.followed.table import ATTENTION, LANGUAGES, TRANSDUCER

SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "source_ctc_layer": 0}
ROWS = range(2)


class UnigramLanguageModel:
    """A language model that knows how frequent words are."""

    def __init__(self, size: int, device: torch.device) -> None:
        self.logits = (5 * torch.randn(size, generator=torch.Generator().manual_seed(1))).to(device)

    def eval(self) -> None:
        pass

    def __call__(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(*tokens.shape, -1)

    def get_normalized_probs(self, logits: torch.Tensor, log_probs: bool, sample: object) -> torch.Tensor:
        return logits.log_softmax(-1)


@dataclass
class Decoder:
    """A task, a model and a batch for one search."""

    task: object
    model: torch.nn.Module
    batch: dict

    @property
    def language_model(self) -> UnigramLanguageModel:
        return UnigramLanguageModel(len(self.task.target_dictionary), self.device)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def on(self, device: str, dtype: torch.dtype = torch.float32) -> "Decoder":
        """The same on another device and in another precision."""
        model = copy.deepcopy(self.model).to(dtype).to(device)
        batch = utils.apply_to_sample(lambda tensor: tensor.to(device), self.batch)
        return Decoder(self.task, model, batch)

    def generator(self, **options: object) -> object:
        language_model = self.language_model if "lm_path" in options else None
        extra = {"lm_model": language_model, "lm_weight": options.get("lm_weight")}  # as fairseq-generate gives them
        return self.task.build_generator([self.model], Namespace(**options), extra_gen_cls_kwargs=extra)

    def decode(self, **options: object) -> list[list[dict]]:
        torch.manual_seed(0)
        size = options.get("prefix_size", 0)
        prefix = {"prefix_tokens": self.batch["target"][:, :size]} if size else {}
        return self.task.inference_step(self.generator(**options), [self.model], self.batch, **prefix)


def make_decoder(search: str, data_bin: Path, rows: Iterable[int] = ROWS) -> Decoder:
    """A random model of a search, made sharper so that options matter; the batch is of rows of valid."""
    task = build_task(data_bin, decoding=ATTENTION if search == LANGUAGES else search)
    if search == TRANSDUCER:
        model = build_model(task, "hmst_transducer_tiny", **SMALL, predictor_dim=16, joint_dim=16)
    else:
        sizes = {"decoder_layers": 1, "max_target_positions": 20}
        model = build_model(task, "hmst_ctc_attention_tiny", **SMALL, **sizes)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1 and name.startswith(("ctc_head", "joiner", "decoder")):
                parameter *= 3
            elif name == "joiner.output.bias":
                parameter[BLANK_INDEX] += 3  # so that outputs end
    return Decoder(task, model, batch_of(task, rows))
