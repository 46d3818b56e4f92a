"""Decoding of lines of units or source text, by the training's own task, datasets and generators."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from fairseq import utils
from fairseq.dataclass.configs import GenerationConfig
from fairseq.utils import resolve_max_positions
from sentencepiece import SentencePieceProcessor
from torch import Tensor

from preprocess.errors import NotFiniteError, OptionError
from preprocess.files.units import text_to_units

from ..data.batch import rows_of, single_rows
from ..data.data_bin import DataBinError
from ..generators.finite_scores import check_log_probs, padding_of
from ..generators.generator_choice import choose_decoding
from ..model_folder.folder import make_task
from ..model_folder.generation import GenerationOptions
from ..tasks.hmst_translation import HmstTranslationTask
from ..tasks.input_languages import InputLanguages
from ..tasks.subword_codec import SubwordCodec
from .errors import TranslationError
from .options import TranslationOptions
from .results import Hypothesis

if TYPE_CHECKING:
    from ..data.batch import Batch, NetInput
    from ..generators.hypothesis import GeneratedHypothesis
    from ..models.hmst_model import HmstModel


@dataclass(frozen=True)
class Decoded:
    """The result of decoding one line.

    Attributes:
        nbest: best first; at least one.
        transcript: the best path of the CTC on the source transcript; None where the model has no such head.
        source_tokens: what the encoder saw, ids of the input dictionary, language symbol and </s> included.
        units_in_tokens: number of units that each of these tokens stands for; 0 for what is no speech.
    """

    nbest: tuple[Hypothesis, ...]
    transcript: str | None
    source_tokens: tuple[int, ...]
    units_in_tokens: tuple[int, ...]


class Decoder:
    """Models, the task and the search that translate units and text.

    Args:
        task: of the model's data-bin; its options choose the decoding.
        models: one, or an ensemble.
        beam: hypotheses that the search keeps.
        lenpen: length penalty, as fairseq's --lenpen.
        nbest: hypotheses to return, at most `beam`.
        max_tokens: bound on a batch's lines times the longest of them; a line beyond it is a batch by itself.

    Raises:
        OptionError: an option lies out of range, or the models have no head for the decoding.
    """

    def __init__(
        self,
        task: HmstTranslationTask,
        models: "list[HmstModel]",
        beam: int,
        lenpen: float,
        nbest: int,
        max_tokens: int,
    ) -> None:
        if beam < 1:
            raise OptionError("beam", f"must be at least 1, got {beam}")
        if not 1 <= nbest <= beam:
            raise OptionError("nbest", f"must lie in 1..{beam}, the beam, got {nbest}")
        self.task, self.models, self.nbest, self.max_tokens = task, models, nbest, max_tokens
        self.decoding = choose_decoding(str(task.cfg.decoding), models)
        self.device = next(models[0].parameters()).device
        options = GenerationConfig(beam=beam, lenpen=lenpen, nbest=nbest)
        self._generator = task.build_generator(models, options)
        self._codecs = {stream: SubwordCodec(task.data_bin, stream) for stream in task.ALL_STREAMS}
        for codec in self._codecs.values():
            codec.encode("")  # reads its file, and so finds now whether it is broken
        self.untold_languages = InputLanguages(task.data_bin, {"source": None, "target": None})
        self._told_sides = {side for side in ("source", "target") if self._must_be_told(side)}
        data_bin = task.data_bin
        self._languages = {"source": data_bin.source_languages, "target": data_bin.target_languages}
        self._chosen_languages: dict[tuple[str | None, ...], InputLanguages] = {}
        positions = [task.max_positions(), *(model.max_positions() for model in models)]
        found = resolve_max_positions(*positions)
        self.max_source_tokens = int(found[0] if isinstance(found, tuple) else found)

    @property
    def unit_model(self) -> SentencePieceProcessor:
        """The SentencePiece model of units."""
        return self._codecs["st"].model

    def choose_languages(self, source: str | None, target: str | None) -> InputLanguages:
        """Languages of an input, of which only that is kept which the model must be told; the same each time.

        Raises:
            OptionError: the model has several languages, and the input's is not among them, or is not given.
        """
        given = {"source": source, "target": target}
        told = {side: language if side in self._told_sides else None for side, language in given.items()}
        key = tuple(told.values())
        if key not in self._chosen_languages:
            chosen = InputLanguages(self.task.data_bin, told)
            for side in sorted(self._told_sides):
                if given[side] is None:
                    raise OptionError(f"{side}_language", f"must be given, one of {', '.join(self._languages[side])}")
            self._chosen_languages[key] = chosen
        return self._chosen_languages[key]

    def decode(
        self,
        lines: Sequence[str],
        stream: str,
        languages: Sequence[InputLanguages],
        on_done: Callable[[list[int]], None] = lambda rows: None,
    ) -> list[Decoded | TranslationError]:
        """Translate lines, those of similar length together; where one cannot be translated or gives NaN, say why.

        Args:
            lines: unit ids, separated by spaces, or source text.
            stream: `st` for units, `mt` for text.
            languages: of each line; see `choose_languages`.
            on_done: called with the numbers of the lines of each batch when it is done.
        """
        encoded = [self._encode(line, stream) for line in lines]
        sources = {row: source for row, source in enumerate(encoded) if isinstance(source, Tensor)}
        results: dict[int, Decoded | TranslationError] = {
            row: source for row, source in enumerate(encoded) if isinstance(source, TranslationError)
        }
        for wanted in dict.fromkeys(languages):
            rows = [row for row, found in enumerate(languages) if found == wanted and row in sources]
            for sample in self._batches([sources[row] for row in rows], wanted):
                batch_rows = [rows[index] for index in sample["id"].tolist()]
                results |= zip(batch_rows, self._try_batch(sample), strict=True)
                on_done(batch_rows)
        return [results[row] for row in range(len(lines))]

    def continue_speech(self, units: str, languages: InputLanguages, beginning: Sequence[int]) -> Decoded:
        """Translate a line of units by a translation that begins with these tokens; without a transcript.

        Args:
            units: ids, separated by spaces.
            languages: see `choose_languages`.
            beginning: ids of the output dictionary, without language symbol and </s>; may be empty.

        Raises:
            TranslationError: the line is too long.
            NotFiniteError: a model gives NaN.
        """
        source = self._encode(units, "st")
        if isinstance(source, TranslationError):
            raise source
        (sample,) = self._batches([source], languages)
        prefix = torch.tensor([list(beginning)], dtype=torch.int64, device=self.device)
        (decoded,) = self._decode_batch(sample, with_transcripts=False, prefix_tokens=prefix if beginning else None)
        return decoded

    def _encode(self, line: str, stream: str) -> Tensor | TranslationError:
        """Ids (T,) of a line, </s> included, or why there are none."""
        try:
            pieces = self._codecs[stream].encode(line)
        except DataBinError as error:
            return TranslationError.of(error)
        source = self.task.source_dictionary.encode_line(pieces, add_if_not_exist=False).long()
        if len(source) <= self.max_source_tokens:
            return source
        return TranslationError(
            f"too long: {len(source)} subwords, the model takes {self.max_source_tokens}", advice="cut it into parts"
        )

    def _batches(self, sources: Sequence[Tensor], languages: InputLanguages) -> "Iterator[Batch]":
        lengths = [len(source) for source in sources]
        dataset = self.task.build_dataset_for_inference(list(sources), lengths, languages)
        longest_first = dataset.ordered_indices()[::-1]
        alone = longest_first[dataset.num_tokens_vec(longest_first) > self.max_tokens]
        together = dataset.batch_by_size(longest_first[len(alone) :], max_tokens=self.max_tokens)
        for rows in [*alone[:, None], *together]:
            batch = dataset.collater([dataset[int(row)] for row in rows])
            yield utils.apply_to_sample(lambda tensor: tensor.to(self.device), batch)

    def _try_batch(self, sample: "Batch") -> "list[Decoded | TranslationError]":
        """Decode a batch; where a model gives NaN, each line by itself, or its error."""
        try:
            return list(self._decode_batch(sample))
        except NotFiniteError as error:
            if len(sample["id"]) == 1:
                return [TranslationError.of(error)]
            rows = single_rows(len(sample["id"]))
            return [result for row in rows for result in self._try_batch(rows_of(sample, row))]

    def _decode_batch(
        self, sample: "Batch", with_transcripts: bool = True, prefix_tokens: Tensor | None = None
    ) -> Iterator[Decoded]:
        found = self.task.decode(self._generator, self.models, sample, prefix_tokens=prefix_tokens)
        transcripts = self._transcripts(sample["net_input"]) if with_transcripts else [None] * len(found)
        padding = self.task.source_dictionary.pad()
        sources = sample["net_input"]["src_tokens"].cpu()
        for hypotheses, transcript, tokens in zip(found, transcripts, sources, strict=True):
            nbest = tuple(self._hypothesis(hypothesis) for hypothesis in hypotheses[: self.nbest])
            source = tuple(tokens[tokens != padding].tolist())
            yield Decoded(nbest, transcript, source, tuple(map(self._count_units, source)))

    def _must_be_told(self, side: str) -> bool:
        try:
            self.untold_languages[side]
        except DataBinError:
            return True
        return False

    def _hypothesis(self, hypothesis: "GeneratedHypothesis") -> Hypothesis:
        dictionary = self.task.target_dictionary
        no_text = {dictionary.bos(), dictionary.eos(), *self._generator.symbols_to_strip_from_output}
        tokens = tuple(index for index in hypothesis["tokens"].tolist() if index not in no_text)
        text = self.task.data_bin.join_target([dictionary[index] for index in tokens])
        return Hypothesis(text, float(hypothesis["score"]), tokens, hypothesis["is_cut"])

    def _count_units(self, token: int) -> int:
        ids = self.task.data_bin.card.dictionary
        is_unit = ids.first_unit_subword <= token < ids.first_unit_subword + ids.unit_subwords
        return len(text_to_units(self.task.source_dictionary[token])) if is_unit else 0

    def _transcripts(self, net_input: "NetInput") -> list[str | None]:
        """The best path of the first model's CTC on the source transcript."""
        with torch.no_grad():
            found = self.models[0].source_ctc_log_probs(net_input["src_tokens"], net_input["src_lengths"])
        if found is None:
            return [None] * len(net_input["src_tokens"])
        log_probs, lengths = found
        check_log_probs(log_probs, padding_of(log_probs, lengths))
        rows = zip(log_probs.argmax(-1).cpu(), lengths.tolist(), strict=True)
        return [self._transcript(labels[:length]) for labels, length in rows]

    def _transcript(self, path: Tensor) -> str:
        return self.task.text.transcript_of_labels(path.unique_consecutive())


def make_decoder(
    data_bin: Path, models: "list[HmstModel]", options: TranslationOptions, defaults: GenerationOptions
) -> Decoder:
    """A Decoder as `options` and a model folder's `defaults` of decoding want it.

    Raises:
        OptionError: an option lies out of range, or does not fit the models or the data-bin.
    """
    settings = options.over(defaults)
    task = make_task(data_bin, settings.decoding, settings.ctc_decode_weight)
    InputLanguages(task.data_bin, {"source": options.source_language, "target": options.target_language})
    return Decoder(task, models, settings.beam, settings.lenpen, options.num_best, options.max_tokens)
