"""hmst_translation: translation of speech units (st) and repeated source text (mt) by one model."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, List

from fairseq.criterions import FairseqCriterion
from fairseq.data.iterators import EpochBatchIterator
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics
from fairseq.models import ARCH_MODEL_REGISTRY
from fairseq.optim import FairseqOptimizer
from fairseq.sequence_generator import SequenceGenerator
from fairseq.tasks import register_task
from omegaconf import DictConfig
from torch import Tensor

from preprocess.errors import OptionError

from ..data.batch import Batch
from ..data.loading_processes import end_loading
from ..data.streams import MixedStreams
from ..generators.checked_search import CheckedAlignment, CheckedSearch
from ..generators.followed.check import check_input, check_language_model
from ..generators.followed.cut_outputs import mark_cut, warn_of_cut
from ..generators.generator_choice import DecodableModel, Generator, build_generator, length_limits
from ..generators.hypothesis import GeneratedHypothesis, fetch_hypotheses
from ..generators.language_ensemble import LanguageEnsemble
from ..generators.own_search import with_own_search
from ..training.scaled_updates import scaled_updates
from ..training.training_events import log_event
from .config import HmstTranslationConfig, standalone
from .decoding.empty_sources import decode_but_empty
from .decoding.finite_results import search_finite, validating
from .fetching import fetch_numbers
from .interactive_lines import encode_lines
from .loading_task import LoadingTask
from .plain_text import PlainText
from .subword_codec import SubwordCodec
from .training.report import memory_gb, training_start
from .validation.best_metric import check_best_metric
from .validation.decoded_validation import BleuGeneration, DecodedValidation
from .validation.sample_board import SampleBoard
from .validation.text_scorer import TextScorers

if TYPE_CHECKING:
    from ..models.hmst_model import HmstModel, SharedEncoderConfig


@register_task("hmst_translation", dataclass=HmstTranslationConfig)
class HmstTranslationTask(LoadingTask):
    """Trains on mixed streams of data-bins, and decodes with any head of the model.

    Raises:
        DataBinError: a data-bin is not whole, or has other dictionaries than the first or than a checkpoint.
        OptionError: --streams names something else than st and mt, or --mt-passes cannot be followed.
        ValueError: a language is given that makes no difference.
    """

    def __init__(self, cfg: HmstTranslationConfig) -> None:
        super().__init__(standalone(cfg))
        self.validation: DecodedValidation | None = None
        self._is_described = False
        self._heads: Sequence[str] = ()  # of the model that was built last
        self._train_iterator: EpochBatchIterator | None = None  # of the last epoch that began
        self._num_updates = 0
        self.text = PlainText(self.data_bin)
        self._scorers = TextScorers(self.cfg.bleu_tokenizer, self.data_bin.target_languages)
        self.data_bin.target_dictionary.make_scorer = self._scorers.make

    @classmethod
    def setup_task(cls, cfg: HmstTranslationConfig, **kwargs: object) -> "HmstTranslationTask":
        """fairseq passes `from_checkpoint` when it builds the task for a checkpoint; it makes no difference here."""
        return cls(cfg)

    def build_bpe(self, args: object) -> SubwordCodec:
        """The data-bin's own subword models; fairseq's --bpe is not needed."""
        return SubwordCodec(self.data_bin, str(self.cfg.eval_stream))

    def build_model(self, cfg: "SharedEncoderConfig | DictConfig", from_checkpoint: bool = False) -> "HmstModel":
        # before fairseq copies cfg: what is written into it now, checkpoints will hold
        family = ARCH_MODEL_REGISTRY[cfg._name]
        if not hasattr(family, "start_weights"):
            ours = ", ".join(name for name in ARCH_MODEL_REGISTRY if name.startswith("hmst_"))
            raise OptionError("arch", f"{cfg._name} is not of this package, whose task trains: {ours}")
        start = None if from_checkpoint else family.start_weights(cfg, self.data_bin)
        model = super().build_model(cfg, from_checkpoint)
        if start is not None:
            start(model)
        self._heads = model.heads
        self.learns_transcripts = model.source_ctc_head is not None
        if self.cfg.eval_bleu:
            generator = self.build_generator([model], BleuGeneration(self.cfg.eval_bleu_beam))
            logdir = None if from_checkpoint else self.cfg.tensorboard_logdir
            board = SampleBoard.open(logdir, self.data_bin, str(self.cfg.decoding))
            self.validation = DecodedValidation(self, generator, board)
        self.max_lengths = tuple(map(min, self.max_lengths, model.max_lengths))
        return model

    def build_criterion(self, cfg: FairseqDataclass, from_checkpoint: bool = False) -> FairseqCriterion:
        self.criterion = criterion = super().build_criterion(cfg, from_checkpoint)
        if not getattr(criterion, "trains_every_head", False):
            self.check_heads(cfg._name, self._heads)
        self.needs_text_twins = getattr(criterion, "needs_text_twins", False)  # of train, which is loaded after this
        self.compares_views = getattr(criterion, "compares_views", False)
        return criterion

    def build_generator(
        self,
        models: "List[HmstModel]",
        args: object,
        seq_gen_cls: type[SequenceGenerator] | None = None,
        extra_gen_cls_kwargs: dict[str, object] | None = None,
        **kwargs: object,
    ) -> Generator:
        """The search that --decoding asks for; an error names the decodings that the models have heads for."""

        check_language_model(args, (extra_gen_cls_kwargs or {}).get("lm_model"))
        symbols = self.data_bin.language_symbols
        more = {**(extra_gen_cls_kwargs or {}), "symbols_to_strip_from_output": set(symbols.output_ids)}
        if aligns := getattr(args, "print_alignment", None):
            more["print_alignment"] = aligns
        search = seq_gen_cls or (CheckedAlignment if aligns else CheckedSearch)

        def fairseq_beam_search(models: Sequence[DecodableModel] | LanguageEnsemble) -> SequenceGenerator:
            return super(HmstTranslationTask, self).build_generator(models, args, search, more, **kwargs)

        generator = build_generator(self.cfg, models, args, self.target_dictionary, symbols, fairseq_beam_search)
        generator.options = args  # of inference_step
        return generator

    def inference_step(
        self, generator: Generator, models: "List[HmstModel]", sample: Batch, **kwargs: object
    ) -> list[list[GeneratedHypothesis]]:
        """Decode a batch as fairseq-generate and fairseq-interactive do; outputs that may be cut are logged.

        Raises:
            OptionError: an option of fairseq-generate was given that the other does not follow.
        """
        check_input(getattr(generator, "options", None), sample.get("target") is not None)
        results = self.decode(generator, models, sample, **kwargs)
        warn_of_cut(results, sample)
        return results

    def decode(
        self, generator: Generator, models: "List[HmstModel]", sample: Batch, **kwargs: object
    ) -> list[list[GeneratedHypothesis]]:
        """Decode a batch; an empty source has an empty translation. Tokens and scores are on the CPU.

        fairseq-interactive's batches hold the sources alone, so what the decoder reads first is added.

        Raises:
            NotFiniteError: a model gives NaN; the places are the models' files and the first example that leads to it.
        """
        net_input = sample["net_input"]
        if "prev_output_tokens" not in net_input:
            start = self.data_bin.language_symbols.decoder_start(self.input_languages["target"])
            starts = start.to(net_input["src_tokens"].device).expand(len(net_input["src_tokens"]), -1)
            net_input = {**net_input, "prev_output_tokens": starts}
            sample = {**sample, "net_input": net_input}
        if self._scorers.last is not None:
            self._scorers.last.expect(self.data_bin.languages_of(net_input["prev_output_tokens"]))
        source_lengths = net_input["src_lengths"].cpu()
        is_empty = source_lengths <= self.data_bin.language_symbols.num_source_edges
        decode = partial(search_finite, super().inference_step, with_own_search(generator), models)
        results = decode_but_empty(decode, sample, kwargs, is_empty, self.target_dictionary.eos())
        fetch_hypotheses(results)
        mark_cut(results, length_limits(generator, source_lengths))
        return results

    def get_interactive_tokens_and_lengths(
        self, lines: List[str], encode_fn: Callable[[str], str]
    ) -> tuple[list[Tensor], list[int]]:
        """Ids of lines; one that cannot be translated is reported, and is an empty one."""
        longest = self.max_lengths[0] - self.data_bin.language_symbols.num_source_symbols
        return encode_lines(lines, encode_fn, self.source_dictionary, longest)

    def get_batch_iterator(self, dataset: MixedStreams, **kwargs: object) -> EpochBatchIterator:
        """Batches of an epoch, made again for each epoch of train; the epoch before must be over."""
        iterator = super().get_batch_iterator(dataset, **kwargs)
        if dataset.shuffle:
            if self._train_iterator is not None:
                end_loading(self._train_iterator)
            self._train_iterator = iterator
        return iterator

    def begin_epoch(self, epoch: int, model: "HmstModel") -> None:
        """Say what is trained, before the first epoch of this process."""
        if not self._is_described:
            self._is_described = True
            check_best_metric(self, model)
            batches = 0 if self._train_iterator is None else len(self._train_iterator)
            log_event(training_start(self.cfg.data, self.data_bin.signature, self.datasets, model, batches))

    def valid_step(
        self, sample: Batch, model: "HmstModel", criterion: FairseqCriterion
    ) -> tuple[Tensor, Tensor, dict[str, Tensor | float]]:
        """Loss of a batch, and its translations' scores.

        Raises:
            NotFiniteError: the loss or probabilities of the search are NaN or infinite.
        """
        loss, sample_size, logging_output = super().valid_step(sample, model, criterion)
        with validating(loss, sample, self._num_updates):
            if self.validation is not None:
                logging_output |= self.validation.statistics(sample, model)
        return loss, sample_size, logging_output

    def optimizer_step(self, optimizer: FairseqOptimizer, model: "HmstModel", update_num: int) -> None:
        with scaled_updates(optimizer, model.parameters()):
            super().optimizer_step(optimizer, model, update_num)
        self._num_updates = update_num + 1

    def post_validate(self, model: "HmstModel", stats: Mapping[str, float], meters: object) -> None:
        """Show samples of the first validation set; fairseq calls it after each."""
        if self.validation is not None:
            first = next(name for name in self.datasets if not name.startswith("train"))
            self.validation.show_samples(self.datasets[first], model, int(stats["num_updates"]))

    def reduce_metrics(self, logging_outputs: list[dict[str, Tensor | float]], criterion: FairseqCriterion) -> None:
        numbers = fetch_numbers(logging_outputs)
        super().reduce_metrics(numbers, criterion)
        if criterion.training:
            metrics.log_scalar("memory_gb", memory_gb(), weight=0, round=2)
        elif self.validation is not None:
            self.validation.log(numbers)
