"""The speech (st) and text (mt) streams of one split, mixed into one fairseq dataset."""

import numpy as np
from fairseq.data import FairseqDataset, data_utils
from torch import Tensor

from .batch import Batch, StreamExample
from .batching import batches_of_rows
from .collation import collate
from .example_inputs import ExampleInputs
from .language_symbols import LanguageSymbolIds
from .stream_rows import StreamRows
from .variation.draws import Draws, Purpose


class MixedStreams(FairseqDataset):
    """Examples of several streams in one epoch; a batch may hold examples of all of them.

    Args:
        streams: the streams; example ids run through them in this order.
        language_symbols: of the data-bin.
        passes: how often an epoch goes through each stream, by name; 1 where a stream is not named. A fractional
            part draws that share of the stream again in each epoch.
        seed: of the draws, the prefixes and the order of examples of equal length; all are others in each epoch.
        shuffle: order examples of equal length at random.
        inputs: what makes the inputs of examples.
    """

    def __init__(
        self,
        streams: list[StreamRows],
        language_symbols: LanguageSymbolIds,
        passes: dict[str, float] | None = None,
        seed: int = 1,
        shuffle: bool = True,
        inputs: ExampleInputs | None = None,
    ) -> None:
        super().__init__()
        self.streams = streams
        self.language_symbols = language_symbols
        self.passes = [float((passes or {}).get(stream.name, 1.0)) for stream in streams]
        if any(value < 0 for value in self.passes):
            raise ValueError(f"passes must be 0 or more, got {passes}")
        self.seed = seed
        self.shuffle = shuffle
        self.inputs = inputs or ExampleInputs()
        self._first_row = np.cumsum([0] + [len(stream.sources) for stream in streams])
        self.set_epoch(1)

    def _sizes(self, kind: str) -> np.ndarray:
        """Lengths of one kind of all rows of all streams, of the longer view; 0 where a stream has none."""

        def of_view(streams: list[StreamRows]) -> np.ndarray:
            by_stream = [(len(stream.sources), getattr(stream, kind)) for stream in streams]
            return np.concatenate(
                [np.zeros(n, dtype=np.int32) if rows is None else rows.sizes for n, rows in by_stream]
            )

        return np.max([of_view(streams) for streams in self._views], axis=0)

    def set_epoch(self, epoch: int) -> None:
        """Choose this epoch's rows, their variations and order; all depend on the seed and `epoch` alone.

        `rows[i]` is the row, counted through all streams, of example i.
        """
        generator = Draws(self.seed, epoch).generator(Purpose.ORDER)
        chosen = []  # rows of each stream
        for stream, passes in zip(self.streams, self.passes, strict=True):
            size = len(stream.sources)
            drawn = generator.permutation(size)[: round(size * (passes % 1))]
            chosen.append(np.concatenate([np.tile(np.arange(size), int(passes)), np.sort(drawn)]))
        self.rows = np.concatenate([first + rows for first, rows in zip(self._first_row, chosen, strict=False)])
        self._draws = [Draws(self.seed, epoch, view) for view in range(self.inputs.num_views)]
        used = [np.unique(rows) for rows in chosen]
        self._views = [
            [stream.of_epoch(draws, rows) for stream, rows in zip(self.streams, used, strict=True)]
            for draws in self._draws
        ]
        self.target_sizes, self.twin_sizes = self._sizes("targets"), self._sizes("twins")
        # of an example and its twin, the longer
        self.source_sizes = np.maximum(self._sizes("sources"), self.twin_sizes)
        examples = np.arange(len(self.rows))
        self._order_of_equals = generator.permutation(examples) if self.shuffle else examples

    @property
    def can_reuse_epoch_itr_across_epochs(self) -> bool:
        """Whether all epochs may have the first one's batches; if not, a resumed training would make others."""
        return not self.shuffle

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> StreamExample:
        row = int(self.rows[index])
        number = int(np.searchsorted(self._first_row, row, side="right")) - 1
        row_in_stream = row - int(self._first_row[number])
        views = [streams[number] for streams in self._views]
        stream, symbols = views[0], self.language_symbols
        source = self.inputs.source(views, row_in_stream, self._draws, index, symbols)
        twin = self.inputs.twin(views, row_in_stream, self._draws, index, symbols)
        return {
            "id": row,
            "origin": "" if stream.prefix is None else f"{stream.prefix}:{row_in_stream}",
            "stream": stream.number,
            "source": source.tokens,
            "target": None if stream.targets is None else stream.targets[row_in_stream],
            "target_language": stream.target_language,
            "transcript": None if stream.transcripts is None else stream.transcripts[row_in_stream],
            "twin": None if twin is None else twin.tokens,
            "second": source.second,
            "twin_second": None if twin is None else twin.second,
        }

    @property
    def sizes(self) -> np.ndarray:
        return np.maximum(self.source_sizes, self.target_sizes)[self.rows]

    def num_tokens(self, index: int) -> int:
        return int(self.num_tokens_vec(np.array([index]))[0])

    def num_tokens_vec(self, indices: np.ndarray) -> np.ndarray:
        """Length that `--max-tokens` counts: the longer of source and target, for each row that an example is."""
        return self._lengths(indices) * self._num_rows(indices)

    def _lengths(self, indices: np.ndarray) -> np.ndarray:
        rows = self.rows[indices]
        return np.maximum(self.source_sizes[rows], self.target_sizes[rows])

    def _num_rows(self, indices: np.ndarray) -> np.ndarray:
        """Rows of a batch that each example is: 2 with a text twin."""
        return np.where(self.twin_sizes[self.rows[indices]] > 0, 2, 1)

    def size(self, index: int) -> tuple[int, int]:
        row = self.rows[index]
        return int(self.source_sizes[row]), int(self.target_sizes[row])

    def ordered_indices(self) -> np.ndarray:
        """Examples by source length, then target length."""
        indices = self._order_of_equals
        indices = indices[np.argsort(self.target_sizes[self.rows[indices]], kind="stable")]
        return indices[np.argsort(self.source_sizes[self.rows[indices]], kind="stable")]

    def filter_indices_by_size(
        self, indices: np.ndarray, max_sizes: int | tuple[int, int] | None
    ) -> tuple[np.ndarray, list[int]]:
        return data_utils.filter_paired_dataset_indices_by_size(
            self.source_sizes[self.rows], self.target_sizes[self.rows], indices, max_sizes
        )

    def batch_by_size(
        self,
        indices: np.ndarray,
        max_tokens: int | None = None,
        max_sentences: int | None = None,
        required_batch_size_multiple: int = 1,
    ) -> list[np.ndarray]:
        """fairseq's batches, and a last one of what it leaves out.

        fairseq drops the last batch if its size is no multiple of required_batch_size_multiple (8 by default); of a
        test set no example may be lost. With text twins, of which fairseq knows nothing, bounds and multiple are those
        of rows.
        """
        if (self.twin_sizes > 0).any():
            sizes = self._lengths(indices), self._num_rows(indices)
            return batches_of_rows(indices, *sizes, max_tokens, max_sentences, required_batch_size_multiple)
        batches = list(super().batch_by_size(indices, max_tokens, max_sentences, required_batch_size_multiple))
        left_out = indices[sum(len(batch) for batch in batches) :]
        return [*batches, left_out] if len(left_out) > 0 else batches

    def collater(self, samples: list[StreamExample]) -> Batch | dict[str, Tensor]:
        """A batch of examples and their text twins; see `collate`. Of none, an empty dictionary."""
        return {**collate(samples, self.language_symbols)} if samples else {}
