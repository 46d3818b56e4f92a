"""The streams of all splits of a data-bin. External text comes last in train."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ..files.escapes import RESERVED_NAMES
from ..files.program.progress import count_progress
from ..files.splits import Split
from ..files.text import TextPair
from ..vocabulary.token_encoder import TokenEncoder
from .examples import manifest_pairs, speech_examples, text_examples
from .writer import Example, StreamCounts, StreamWriter

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitWriter:
    """Writes the streams of splits into the folder of a data-bin.

    Attributes:
        folder: of the data-bin.
        encoder: makes token ids.
        external: more text for train.
        has_target_languages: whether the language of each reference is written down.
    """

    folder: Path
    encoder: TokenEncoder
    external: Sequence[Iterable[TextPair]]
    has_target_languages: bool

    def write(self, split: Split) -> dict[str, StreamCounts]:
        """Write one split, and warn of tokens that are <unk>; counts by stream.

        Raises:
            VocabularyError: a unit is not in the unit model.
        """
        counts = {}
        if split.units:
            has_transcripts = any(row.audio and row.src_text.strip() for row in split.utterances)
            examples = speech_examples(split, self.encoder, has_transcripts)
            counts["st"] = self._write_stream(split.name, "st", examples, has_transcripts)
        pairs = chain(manifest_pairs(split), *(self.external if split.name == "train" else ()))
        first = next(pairs, None)
        if first is not None:
            examples = text_examples(chain([first], pairs), self.encoder)
            counts["mt"] = self._write_stream(split.name, "mt", examples, has_transcripts=False)
        return counts

    def _write_stream(
        self, split: str, stream: str, examples: Iterator[Example], has_transcripts: bool
    ) -> StreamCounts:
        sizes = self.encoder.source_size, self.encoder.target_size
        writer = StreamWriter(self.folder, split, stream, sizes, has_transcripts, self.has_target_languages)
        for example in count_progress(examples, f"binarize {split}.{stream}", " examples"):
            writer.add(example)
        counts = writer.close()
        if any(counts.unknown.values()):
            logger.warning(
                "%s.%s: %s tokens are <unk>, characters that the subwords were not trained on (first: %s)",
                split,
                stream,
                ", ".join(f"{number} {side}" for side, number in counts.unknown.items() if number),
                counts.first_unknown,
            )
        if counts.altered:
            logger.warning(
                "%s.%s: %d texts hold %s, which these pieces have no place for (first: %s)",
                split,
                stream,
                len(counts.altered),
                RESERVED_NAMES,
                counts.first_altered,
            )
        return counts
