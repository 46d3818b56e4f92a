"""The part of the task that makes datasets: streams mixed into epochs, and examples to translate."""

import logging
import math
import os
from pathlib import Path
from typing import List

from fairseq.criterions import FairseqCriterion
from fairseq.data import Dictionary
from torch import Tensor

from ..data.data_bin import DataBin
from ..data.example_inputs import ExampleInputs
from ..data.flat_rows import FlatRows
from ..data.stream_rows import STREAM_NAMES, StreamRows, load_stream
from ..data.streams import MixedStreams
from ..data.variation.prefixes import Cuts
from .checkpointed_task import CheckpointedTask
from .config import HmstTranslationConfig, standalone
from .decoding.language_model import check_language_model_file
from .input_languages import InputLanguages
from .prefixes.adding import add_prefixes
from .prefixes.kept_cuts import find_cuts
from .training.compared_data import compare_with_cards
from .training.options import check_heads, check_streams, check_training_options
from .training.text_twins import add_text_twins, check_transcripts
from .variation.building import describe_variations, vary_streams
from .variation.needs import check_varied_data
from .variation.options import check_repetition

logger = logging.getLogger(__name__)


class LoadingTask(CheckpointedTask):
    """A task whose datasets are streams of data-bins.

    Attributes:
        stream_names: to train and validate on.
        data_bins: those of the training, or the one that is decoded.
        data_bin: the first one.
        input_languages: of examples without targets.
        criterion: of training and validation; generation has none.
        needs_text_twins: whether the criterion needs them.
        compares_views: whether the criterion compares two views of each example.
        learns_transcripts: whether the model has a head for transcripts.
        max_lengths: tokens of the longest source and of the longest target that the models take.

    Raises:
        DataBinError: a data-bin is not whole, or has other dictionaries than the first.
        OptionError: --streams names something else than st and mt, or --mt-passes cannot be followed.
        ValueError: a language is given that makes no difference.
    """

    ALL_STREAMS = STREAM_NAMES
    check_heads = staticmethod(check_heads)
    check_streams = staticmethod(check_streams)
    check_training_options = staticmethod(check_training_options)
    check_repetition = staticmethod(check_repetition)

    def __init__(self, cfg: HmstTranslationConfig) -> None:
        super().__init__(cfg)
        self.needs_text_twins = False
        self.compares_views = False
        self.learns_transcripts = True
        self.max_lengths: tuple[float, ...] = (math.inf, math.inf)
        self.criterion: FairseqCriterion | None = None
        self._cuts: dict[str, list[Cuts]] = {}  # of the data-bins, by split
        check_streams(cfg)
        self.stream_names = cfg.streams.split(",")
        self.data_bin, *others = self.data_bins = [DataBin(path) for path in cfg.data.split(os.pathsep)]
        for other in others:
            other.check_same_vocabulary(self.data_bin)
        given = {"source": cfg.source_language, "target": cfg.target_language}
        self.input_languages = InputLanguages(self.data_bin, given)
        logger.info(f"data card: {self.data_bin.signature}")
        logger.info(f"input dictionary: {len(self.source_dictionary)} types, output: {len(self.target_dictionary)}")

    @property
    def source_dictionary(self) -> Dictionary:
        return self.data_bin.source_dictionary

    @property
    def target_dictionary(self) -> Dictionary:
        return self.data_bin.target_dictionary

    def load_dataset(
        self, split: str, combine: bool = False, task_cfg: object = None, epoch: int = 1, **kwargs: object
    ) -> None:
        """Load `split`: to train or validate on, --streams, in a test set those that it has; to decode, --eval-stream.

        Of several data-bins, epoch n trains on the n-th in turn; all of them are compared with their cards before the
        first. The speech examples of train have text twins if the criterion needs them, and those of a training
        prefixes if --prefix-share asks for them, and the variations that the options ask for. fairseq-validate sees
        the rows of train as they are stored.

        Raises:
            DataBinError: a stream is missing or has changed, or a data-bin has no transcripts to make text twins of.
            CheckpointError: --prefix-alignment names no whole checkpoint of this package.
            OptionError: --lm-path names a language model of other words, or an option of training cannot be followed.
        """
        if task_cfg is not None:
            self._check_checkpoints(task_cfg)
        self.input_languages.refuse_for_data(split)
        number = (epoch - 1) % len(self.data_bins) if split.startswith("train") else 0
        data_bin = self.data_bins[number]
        is_trained_on = split.startswith("train") and task_cfg is None  # which fairseq-validate gives
        if is_trained_on and self.criterion is not None:
            self._prepare_training(split)
        streams = [load_stream(data_bin, split, name) for name in self._streams_of(split, task_cfg is not None)]
        twins = variations = ""
        if is_trained_on and self.needs_text_twins:
            check_transcripts(self.data_bins, split)
            twins = f" ({add_text_twins(streams, data_bin)} with text twins)"
        if is_trained_on and split in self._cuts:
            share = self.cfg.prefix_share
            num_rows = add_prefixes(streams, self._cuts[split][number], share, data_bin.language_symbols)
            variations = f"; {num_rows} st can be cut, {share:g} of all are drawn in an epoch"
        inputs = None
        if is_trained_on and self.criterion is not None:
            for stream in streams:
                stream.max_lengths = self._trained_lengths(stream)
            inputs = vary_streams(self.cfg, streams, data_bin, split, self.compares_views)
            variations += describe_variations(self.cfg, streams)
        passes = {"mt": self.cfg.mt_passes} if is_trained_on and len(streams) > 1 else None
        self.datasets[split] = self._mixed(streams, passes, shuffle=split.startswith("train"), inputs=inputs)
        counts = ", ".join(f"{len(stream.sources)} {stream.name}" for stream in streams)
        where = f"{data_bin.path} " if len(self.data_bins) > 1 else ""
        logger.info(f"{where}{split}: {counts} examples{twins}; {len(self.datasets[split])} in an epoch{variations}")

    def _prepare_training(self, split: str) -> None:
        """Check options and data of a training; find out where rows can be cut, if it is to have prefixes."""
        learns_transcripts = self.learns_transcripts and "st" in getattr(self.criterion, "streams_with_transcripts", ())
        self.check_training_options(self.cfg, self.needs_text_twins, self.compares_views, learns_transcripts)
        save_dir = None if self.cfg.no_save else self.cfg.save_dir
        compare_with_cards(self.data_bins, split, self.stream_names, save_dir)
        check_varied_data(self.cfg, self.data_bins, split, self.stream_names)
        if self.cfg.prefix_share > 0 and split not in self._cuts:
            self._cuts[split] = find_cuts(self, self.data_bins, split, str(self.cfg.prefix_alignment), save_dir)

    def _trained_lengths(self, stream: StreamRows) -> tuple[float, float]:
        """Tokens of the longest source and target that model and batches can take of a stream."""
        rows = 1 if stream.twins is None else 2
        in_batch = math.inf if self.cfg.max_tokens is None else self.cfg.max_tokens // rows
        source, target = self.max_lengths
        return min(source, in_batch), min(target, in_batch)

    def _check_checkpoints(self, saved: object) -> None:
        """Check what fairseq-generate loads, as far as it can be seen here; `saved` is the task of a checkpoint."""
        if self.cfg.lm_path is not None:
            check_language_model_file(Path(self.cfg.lm_path), self.data_bin)
        if standalone(saved).store_ema:
            logger.warning(
                "the checkpoint also holds averaged weights (--store-ema), which are not those that decode here; "
                "`hmst average --ema` makes a checkpoint of them"
            )

    def _streams_of(self, split: str, is_of_a_checkpoint: bool) -> list[str]:
        is_for_training = split.startswith(("train", "valid"))
        if self.criterion is None and (is_of_a_checkpoint or not is_for_training):  # fairseq-generate
            return [str(self.cfg.eval_stream)]
        there = [name for name in self.stream_names if is_for_training or self.data_bin.has_stream(split, name)]
        return there or self.stream_names

    def _mixed(
        self,
        streams: list[StreamRows],
        passes: dict[str, float] | None,
        shuffle: bool,
        inputs: ExampleInputs | None = None,
    ) -> MixedStreams:
        return MixedStreams(
            streams,
            self.data_bin.language_symbols,
            passes,
            self.cfg.seed,
            shuffle,
            inputs,
        )

    def build_dataset_for_inference(
        self,
        src_tokens: List[Tensor],
        src_lengths: List[int],
        languages: InputLanguages | None = None,
        **kwargs: object,
    ) -> MixedStreams:
        """Examples without targets, from `X </s>`: language symbols are added; `constraints` are not supported.

        The languages are those of the task where none are given.
        """
        if kwargs.get("constraints") is not None:
            raise ValueError("--constraints is not supported by the task hmst_translation")
        languages = languages or self.input_languages
        source, target = languages["source"], languages["target"]
        symbols = self.data_bin.language_symbols
        sources = FlatRows.of(symbols.add_to_source(row, source, target).numpy() for row in src_tokens)
        stream = StreamRows(str(self.cfg.eval_stream), sources, target_language=target)
        return self._mixed([stream], None, shuffle=False)
