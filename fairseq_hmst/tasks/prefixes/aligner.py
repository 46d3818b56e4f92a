"""The trained model of --prefix-alignment, which says where examples of speech can be cut."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from fairseq.models import ARCH_MODEL_REGISTRY
from omegaconf import OmegaConf
from torch import Tensor

from preprocess.files.program.progress import show_progress
from preprocess.files.tokens.ctc_steps import needed_for_ctc

from ...alignment import Labels, align_batch, ctc_alignment
from ...checkpoints.identity import FINGERPRINT
from ...checkpoints.reading import CheckpointError, read_checkpoint
from ...data.collation import pad
from ...data.data_bin import DataBin, DataBinError
from ...data.stream_rows import StreamRows
from ...data.variation.prefixes import Cuts, possible_cuts

if TYPE_CHECKING:
    from ...models.hmst_model import HmstModel, ModelTask

BY_PREFERENCE = ("ctc", "transducer", "attention")  # the first two are monotone by themselves
ROWS_AT_ONCE = 16
ADVICE = "give a model that was trained on data of the same vocabulary and k-means"


class Example(NamedTuple):
    """One row, as tensors of tokens.

    Attributes:
        source: (T,) with language symbol and eos.
        labels: (U,) of the translation.
        start: what the decoder reads before them.
        transcript: (S,) labels of the source CTC; none where the transcript is not known or too long for it.
    """

    row: int
    source: Tensor
    labels: Tensor
    start: Tensor
    transcript: Tensor


@dataclass(frozen=True)
class Aligner:
    """A model that aligns the examples of a data-bin.

    Attributes:
        model: in evaluation mode.
        data_bin: of the vocabulary that it was trained with.
    """

    model: "HmstModel"
    data_bin: DataBin

    @classmethod
    def read(cls, path: str, task: "ModelTask") -> "Aligner":
        """Read the model from a checkpoint.

        Raises:
            CheckpointError: it is no whole checkpoint of this package.
            DataBinError: it was trained with other dictionaries, subwords or units.
            NotFiniteError: a weight is NaN or infinite.
            OSError: there is no such file.
        """
        checkpoint = read_checkpoint(path)
        options, state = checkpoint["cfg"]["model"], checkpoint.get("task_state", {})
        family = ARCH_MODEL_REGISTRY.get(options["_name"])
        if FINGERPRINT not in state or not hasattr(family, "start_weights"):
            raise CheckpointError("is of no model of this package that says what it was trained on", place=path)
        try:
            task.data_bin.check_fingerprint(state[FINGERPRINT], "belongs to", ADVICE)
        except DataBinError as error:
            raise error.at(path) from error
        model = family.build_model(OmegaConf.create(options), task)
        model.load_state_dict(checkpoint["model"])
        return cls(model.eval(), task.data_bin)

    @property
    def head(self) -> str:
        """The head that is asked, as --decoding names it."""
        return next(name for name in BY_PREFERENCE if name in self.model.decodings)

    def find_cuts(self, stream: StreamRows, name: str) -> Cuts:
        """Places where the rows of a stream of this name, which has translations, may be cut."""
        places = [np.zeros((0, 3), dtype=np.int32)] * len(stream.sources)
        rows = np.argsort(stream.sources.sizes, kind="stable")
        with show_progress(f"{name}: aligning by {self.head}", " rows", len(rows)) as progress:
            for first in range(0, len(rows), ROWS_AT_ONCE):
                chosen = rows[first : first + ROWS_AT_ONCE].tolist()
                examples = [example for row in chosen if (example := self._example(stream, row)) is not None]
                for example, found in zip(examples, self._possible_cuts(examples), strict=True):
                    places[example.row] = found
                progress.update(len(chosen))
        return Cuts.of_rows(places)

    def _example(self, stream: StreamRows, row: int) -> Example | None:
        """A row of a stream; None where it is too short to be cut, or too long for the model or for CTC."""
        if stream.targets is None:
            raise ValueError(f"stream {stream.name} has no translations")
        source, target = stream.sources[row], stream.targets[row]
        symbols = self.data_bin.language_symbols
        labels = symbols.labels(target)
        longest, longest_target = self.model.max_lengths
        if len(source) > longest or len(target) > longest_target:
            return None
        if len(labels) < 2 or not _has_path(labels, source):
            return None
        transcript = labels[:0]
        if self.model.source_ctc_head is not None and stream.transcripts is not None:
            known = self.data_bin.transcript_labels(stream.transcripts[row][:-1])
            transcript = known if _has_path(known, source) else transcript
        return Example(row, source, labels, symbols.decoder_input(target)[: symbols.num_start_tokens], transcript)

    def _possible_cuts(self, examples: Sequence[Example]) -> Iterator[np.ndarray]:
        """Places where each example may be cut."""
        if not examples:
            return
        sources, lengths = pad([example.source for example in examples])
        labels = _labels([example.labels for example in examples], lengths)
        transcripts = _labels([example.transcript for example in examples], lengths)
        starts = torch.stack([example.start for example in examples])
        alignments = align_batch([self.model], self.head, sources, labels, starts).numpy()
        transcript_alignments = self._align_transcripts(sources, transcripts).numpy()
        before, after = self.data_bin.language_symbols.source_edges
        for place, example in enumerate(examples):
            text = slice(before, len(example.source) - after)
            yield possible_cuts(
                alignments[place, : len(example.labels), text],
                example.labels.numpy(),
                transcript_alignments[place, : len(example.transcript), text],
                example.transcript.numpy(),
                num_symbols=before + after,
            )

    @torch.no_grad()
    def _align_transcripts(self, sources: Tensor, transcripts: Labels) -> Tensor:
        """Alignments of transcripts by the source CTC, (B, S, T)."""
        found = self.model.source_ctc_log_probs(sources, transcripts.source_lengths)
        if found is None:
            return torch.zeros(len(sources), 0, sources.size(1))
        return ctc_alignment(found[0], transcripts, self.model.ctc_blank_index)


def _labels(rows: list[Tensor], source_lengths: Tensor) -> Labels:
    padded, lengths = pad(rows)
    return Labels(padded, source_lengths, lengths)


def _has_path(labels: Tensor, source: Tensor) -> bool:
    """Whether CTC can align labels with a source."""
    return bool(needed_for_ctc(labels.numpy()) <= len(source))
