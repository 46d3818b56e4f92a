"""Decoding in validation (--eval-bleu): scores of all translations, and a few to look at."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from fairseq import utils
from torch import Tensor

from ...bleu import BleuScorer
from ...data.batch import Batch, NetInput
from ...data.stream_rows import STREAM_NAMES
from ...generators.generator_choice import Generator
from ...training.training_events import Sample, SampleTranslations, log_event
from .sample_board import SampleBoard
from .scores import ScoredText, log_scores, score_groups, score_statistics

if TYPE_CHECKING:
    from ...data.streams import MixedStreams
    from ...models.hmst_model import HmstModel
    from ..hmst_translation import HmstTranslationTask

logger = logging.getLogger(__name__)

NUM_SAMPLES = 3


@dataclass
class BleuGeneration:
    """fairseq's generation options for --eval-bleu; what is not here has fairseq's default."""

    beam: int


class DecodedValidation:
    """Decodes what a training validates on.

    Args:
        task: loads the data, and decodes.
        generator: the search.
        board: where samples are shown beside the log; None: nowhere.
    """

    def __init__(self, task: "HmstTranslationTask", generator: Generator, board: SampleBoard | None) -> None:
        self.task, self.generator, self.board = task, generator, board
        self.scorer = BleuScorer(str(task.cfg.bleu_tokenizer))
        self.groups = score_groups(task.stream_names, str(task.cfg.eval_stream), task.data_bin.target_languages)
        logger.info(f"BLEU of validation: {self.scorer.signature(task.data_bin.target_languages)}")
        self._samples_of = -1  # number of updates at the last samples

    def statistics(self, batch: Batch, model: "HmstModel") -> dict[str, float]:
        """Statistics of BLEU and chrF of a batch of any streams."""
        on_host, net_input = batch["on_host"].batch, batch["net_input"]
        targets = on_host["target"]
        if targets is None:
            return score_statistics([], self.groups, self.scorer)
        chosen: NetInput = {
            "src_tokens": net_input["src_tokens"],
            "src_lengths": net_input["src_lengths"],
            "prev_output_tokens": net_input["prev_output_tokens"],
        }
        hypotheses = self._decode({"id": batch["id"], "origin": batch["origin"], "net_input": chosen}, model)
        languages = self.task.data_bin.languages_of(on_host["net_input"]["prev_output_tokens"])
        text = self.task.text.target
        texts = [
            # an unknown word of the reference is escaped, so that no hypothesis can match it
            ScoredText(STREAM_NAMES[stream], language, text(hypothesis), text(target, escape_unknown=True))
            for stream, language, hypothesis, target in zip(
                on_host["stream"].tolist(), languages, hypotheses, targets, strict=True
            )
        ]
        return score_statistics(texts, self.groups, self.scorer)

    def log(self, logging_outputs: Sequence[dict[str, float]]) -> None:
        """Log the scores of a validation."""
        log_scores(logging_outputs, self.groups)

    def show_samples(self, dataset: "MixedStreams", model: "HmstModel", num_updates: int) -> None:
        """Log a few translations, the same examples each time; once a number of updates.

        All processes decode them, since a model that is spread over several must run in all at once.
        """
        if num_updates == self._samples_of:
            return
        self._samples_of = num_updates
        rows = _spread_rows(dataset, self.groups[0].stream)
        if not rows:
            return
        device = next(model.parameters()).device
        on_host = cast(Batch, dataset.collater([dataset[row] for row in rows]))
        batch = utils.apply_to_sample(lambda tensor: tensor.to(device), on_host)
        hypotheses = self._decode(batch, model)
        place_of = {int(row): place for place, row in enumerate(on_host["id"])}
        samples = tuple(self._sample(on_host, place_of[row], hypotheses[place_of[row]]) for row in rows)
        log_event(SampleTranslations(num_updates, samples))
        if self.board is not None:
            self.board.show(samples, num_updates)
            for row in rows:
                self.board.show_alignment(row, model, on_host, place_of[row], hypotheses[place_of[row]], num_updates)

    @torch.no_grad()
    def _decode(self, batch: Batch, model: "HmstModel") -> list[Tensor]:
        """Tokens of the best hypothesis of each example, on the CPU."""
        return [best["tokens"] for best, *_ in self.task.decode(self.generator, [model], batch)]

    def _sample(self, batch: Batch, place: int, hypothesis: Tensor) -> Sample:
        length = int(batch["transcript_lengths"][place])
        source = self.task.text.transcript(batch["transcript"][place, :length]) if length > 0 else ""
        target = batch["target"]
        assert target is not None
        return Sample(
            int(batch["id"][place]), source, self.task.text.target(target[place]), self.task.text.target(hypothesis)
        )


def _spread_rows(dataset: "MixedStreams", stream_name: str) -> list[int]:
    """Up to NUM_SAMPLES rows of a stream, from its beginning, middle and end."""
    first = 0
    for stream in dataset.streams:
        size = len(stream.sources)
        if stream.name == stream_name:
            return sorted({first + (2 * part + 1) * size // (2 * NUM_SAMPLES) for part in range(NUM_SAMPLES)})
        first += size
    return []
