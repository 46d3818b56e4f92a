"""Lines of units or of source text -> translations, by the training's own task, datasets and generators."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import torch
from fairseq import utils
from fairseq.dataclass.configs import GenerationConfig
from fairseq.utils import resolve_max_positions
from torch import Tensor

from ..data.data_bin import DataBinError
from ..generators.build import choose_decoding
from ..tasks.hmst_translation import HmstTranslationTask
from ..tasks.input_languages import InputLanguages
from ..tasks.subword_codec import SubwordCodec
from .model_folder import make_task
from .options import Options
from .results import Decoded, Hypothesis, Times

BATCH_TOKENS = 8000  # of a padded batch: 20 segments of 20 s at 20 subwords a second


@dataclass(frozen=True)
class Languages:
    """Of an input; None where the model need not be told."""

    source: Optional[str] = None
    target: Optional[str] = None


class Decoder:
    """Models, the task and the search that translate units and text.

    Args:
        task: of the model's data-bin; its options choose the decoding.
        models: one, or an ensemble.
        beam: hypotheses that the search keeps.
        lenpen: length penalty, as fairseq's --lenpen.
        nbest: hypotheses to return, at most `beam`.

    Raises:
        ValueError: an option lies out of range, or the models have no head for the decoding.
    """

    def __init__(self, task: HmstTranslationTask, models: list[Any], beam: int, lenpen: float, nbest: int) -> None:
        if beam < 1:
            raise ValueError(f"--beam must be at least 1, got {beam}")
        if not 1 <= nbest <= beam:
            raise ValueError(f"--nbest must lie in 1..{beam} (--beam), got {nbest}")
        self.task, self.models, self.nbest = task, models, nbest
        self.decoding = choose_decoding(str(task.cfg.decoding), models)
        self.device = next(models[0].parameters()).device
        options = GenerationConfig(beam=beam, lenpen=lenpen, nbest=nbest)
        self._generator = task.build_generator(models, options)
        self._codecs = {stream: SubwordCodec(task.data_bin, stream) for stream in task.ALL_STREAMS}
        for codec in self._codecs.values():
            codec.encode("")  # reads its file, and so finds now whether it is broken
        self._told_sides = {side for side in ("source", "target") if self._must_be_told(side)}
        positions = [task.max_positions(), *(model.max_positions() for model in models)]
        found = resolve_max_positions(*positions)
        self.max_source_tokens = int(found[0] if isinstance(found, tuple) else found)

    def languages(self, source: Optional[str], target: Optional[str]) -> Languages:
        """Of an input, of which only that is kept which the model must be told.

        Raises:
            ValueError: the model has several languages, and the input's is not among them, or is not given.
        """
        given = {"source": source, "target": target}
        told = {side: language if side in self._told_sides else None for side, language in given.items()}
        try:
            checked = InputLanguages(self.task.data_bin, told)
            return Languages(**{side: checked[side] for side in self._told_sides})
        except DataBinError as error:
            raise ValueError(str(error)) from error

    def encode(self, line: str, stream: str) -> Tensor:
        """(T,) ids of a line of unit ids (`st`) or of source text (`mt`), </s> included."""
        pieces = self._codecs[stream].encode(line)
        return self.task.source_dictionary.encode_line(pieces, add_if_not_exist=False).long()

    def fault(self, source: Tensor) -> str:
        """Why a source cannot be decoded; empty where it can."""
        if len(source) <= self.max_source_tokens:
            return ""
        return f"too long: {len(source)} subwords, the model takes {self.max_source_tokens}; cut it into parts"

    def source_times(self, tokens: Sequence[int], unit_times: Sequence[Times]) -> tuple[Optional[Times], ...]:
        """Begin and end of each source token, from those of the units that it holds; None for what holds none."""
        first_character = self.task.data_bin.card["first_unit_character"]
        times: list[Optional[Times]] = []
        position = 0
        for piece in (self.task.source_dictionary[index] for index in tokens):
            num_units = len(piece) if ord(piece[0]) >= first_character else 0
            own = unit_times[position : position + num_units]
            times.append((own[0][0], own[-1][1]) if own else None)
            position += num_units
        return tuple(times)

    def decode(
        self,
        sources: Sequence[Tensor],
        languages: Sequence[Languages],
        report: Callable[[list[int]], None] = lambda rows: None,
    ) -> list[Decoded]:
        """Translate sources without a `fault`, those of similar length together.

        Args:
            sources: see `encode`.
            languages: of each source; see `languages`.
            report: called with the numbers of the sources of each batch when it is done.
        """
        results: dict[int, Decoded] = {}
        for wanted in dict.fromkeys(languages):
            rows = [row for row, found in enumerate(languages) if found == wanted]
            for sample in self._batches([sources[row] for row in rows], wanted):
                batch_rows = [rows[index] for index in sample["id"].tolist()]
                results |= zip(batch_rows, self._decode_batch(sample), strict=True)
                report(batch_rows)
        return [results[row] for row in range(len(sources))]

    def _decode_batch(self, sample: dict[str, Any]) -> Iterator[Decoded]:
        found = self.task.inference_step(self._generator, self.models, sample)
        transcripts = self._transcripts(sample["net_input"])
        padding = self.task.source_dictionary.pad()
        for hypotheses, transcript, tokens in zip(found, transcripts, sample["net_input"]["src_tokens"], strict=True):
            nbest = tuple(self._hypothesis(hypothesis) for hypothesis in hypotheses[: self.nbest])
            yield Decoded(nbest, transcript, tuple(tokens[tokens != padding].tolist()))

    def _must_be_told(self, side: str) -> bool:
        try:
            InputLanguages(self.task.data_bin, {"source": None, "target": None})[side]
        except DataBinError:
            return True
        return False

    def _batches(self, sources: Sequence[Tensor], languages: Languages) -> Iterator[dict[str, Any]]:
        told = {"source": languages.source, "target": languages.target}
        self.task.input_languages = InputLanguages(self.task.data_bin, told)
        dataset = self.task.build_dataset_for_inference(list(sources), [len(source) for source in sources])
        longest_first = dataset.ordered_indices()[::-1]
        for rows in dataset.batch_by_size(longest_first, max_tokens=BATCH_TOKENS):
            batch = dataset.collater([dataset[int(row)] for row in rows])
            yield utils.apply_to_sample(lambda tensor: tensor.to(self.device), batch)

    def _hypothesis(self, hypothesis: dict[str, Any]) -> Hypothesis:
        dictionary = self.task.target_dictionary
        no_text = {dictionary.bos(), dictionary.eos(), *self._generator.symbols_to_strip_from_output}
        tokens = tuple(index for index in hypothesis["tokens"].tolist() if index not in no_text)
        text = SubwordCodec.decode(" ".join(dictionary[index] for index in tokens))
        return Hypothesis(text, float(hypothesis["score"]), tokens)

    def _transcripts(self, net_input: dict[str, Tensor]) -> list[Optional[str]]:
        """The best path of the first model's CTC on the source transcript."""
        model = self.models[0]
        if model.source_ctc_head is None:
            return [None] * len(net_input["src_tokens"])
        with torch.no_grad():
            output = model.encode_with_heads(net_input["src_tokens"], net_input["src_lengths"])[1]
        best = output.source_ctc_logits.argmax(-1)
        rows = zip(best, output.source_lengths.tolist(), strict=True)
        return [self._transcript(labels[:length]) for labels, length in rows]

    def _transcript(self, path: Tensor) -> str:
        labels = path.unique_consecutive()
        # label 0 is the blank, label 1 all that is no piece of source text; see DataBin.transcript_labels
        ids = labels[labels > 1] - 2 + self.task.data_bin.card["dictionary"]["first_source_subword"]
        return SubwordCodec.decode(" ".join(self.task.source_dictionary[index] for index in ids.tolist()))


def make_decoder(data_bin: Path, models: list[Any], options: Options, defaults: Mapping[str, Any]) -> Decoder:
    """A Decoder as `options` and a model folder's `defaults` of decoding want it.

    Raises:
        ValueError: an option lies out of range, or does not fit the models or the data-bin.
    """
    generation = options.generation(defaults)
    languages = {"source": options.source_language, "target": options.target_language}
    task = make_task(data_bin, decoding=generation["decoding"], ctc_decode_weight=generation["ctc_decode_weight"])
    InputLanguages(task.data_bin, languages)
    return Decoder(task, models, generation["beam"], generation["lenpen"], options.nbest)
