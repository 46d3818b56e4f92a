"""The open segment of a stream: what was heard of it, and the part of its translation that is certain."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from preprocess.files.units import units_to_text
from preprocess.speech.audio import SAMPLE_RATE

from ..alignment import align
from ..data.batch import NetInput
from ..data.labels import BLANK_INDEX
from ..generators.ctc.ctc_generator import average_ctc_log_probs
from ..tasks.input_languages import InputLanguages
from ..translate.decoder import Decoded, Decoder
from .policies.policy import Heard, Policy
from .units.heard import HeardUnits, UnitStream
from .units.pieces import settled_pieces


@dataclass(frozen=True)
class Passage:
    """The best translation of the open segment at a decision point.

    Attributes:
        labels: tokens of the output dictionary, without language symbol and end of sentence.
        num_certain: of them, from the begin on, that are certain.
    """

    labels: tuple[int, ...] = ()
    num_certain: int = 0


class OpenSegment:
    """Decides, as sound comes, what of the translation of one segment is certain.

    Args:
        begin: of the segment; positions are samples from the begin of the stream.
        units: makes units of its samples.
        decoder: of the model.
        languages: of the stream.
        policy: of this segment alone.
        look_ahead_seconds: sound at the end that nothing is committed by.

    Attributes:
        begin: of the segment.
        end: of what was heard of it.
    """

    def __init__(
        self,
        begin: int,
        units: UnitStream,
        decoder: Decoder,
        languages: InputLanguages,
        policy: Policy,
        look_ahead_seconds: float,
    ) -> None:
        self.begin = self.end = begin
        self._units, self._decoder, self._languages = units, decoder, languages
        self._policy, self._look_ahead = policy, look_ahead_seconds
        self._certain: tuple[int, ...] = ()
        self._used = 0  # samples that what is certain looks at

    @property
    def first_cut(self) -> int:
        """The first position at which the segment may end: behind all that is translated for certain."""
        return self.begin + self._used

    def add(self, samples: np.ndarray) -> None:
        """Hear the next samples (N,)."""
        self._units.add(samples)
        self.end += len(samples)

    def begin_again(self, begin: int, units: UnitStream) -> None:
        """Forget what was heard, but not what is certain."""
        self.begin = self.end = begin
        self._units = units

    def advance(self, now: int) -> Passage:
        """Translate what was heard, and decide what of that is certain.

        Args:
            now: end of the stream so far; what follows `end` is silence.

        Raises:
            TranslationError: the segment is too long for the model.
            ExtractorError, NotFiniteError: the speech encoder or the model gives what is no number.
        """
        heard = self._units.heard()
        if len(heard.units) == 0:
            return Passage()
        decoded = self._decode(heard)
        labels = decoded.nbest[0].tokens
        source = _Source(decoded, heard)
        sure = source.num_sure(self._num_settled(heard), (now - self.begin) / SAMPLE_RATE - self._look_ahead)
        view = Heard(
            labels,
            len(self._certain),
            sure,
            lambda: self._align(decoded),
            lambda: self._ctc_log_probs(decoded),
            source.is_speech,
        )
        num_certain = self._policy.num_certain(view)
        if num_certain > len(self._certain):
            self._certain = labels[:num_certain]
            attended = self._align(decoded)[:num_certain].masked_fill(~source.is_speech, -1.0).argmax(1).max()
            self._used = max(self._used, round(float(source.ends[attended]) * SAMPLE_RATE))
        return Passage(labels, num_certain)

    def finish(self) -> Passage:
        """Translate all of the segment, which is certain; errors as of `advance`."""
        heard = self._units.heard()
        if len(heard.units) == 0:
            return Passage(self._certain, len(self._certain))
        labels = self._decode(heard).nbest[0].tokens
        return Passage(labels, len(labels))

    def _decode(self, heard: HeardUnits) -> Decoded:
        return self._decoder.continue_speech(" ".join(map(str, heard.units)), self._languages, self._certain)

    def _num_settled(self, heard: HeardUnits) -> int:
        """Pieces of the source that no sound to come can change."""
        return settled_pieces(self._decoder.unit_model, units_to_text(heard.units), heard.num_settled)[1]

    def _align(self, decoded: Decoded) -> Tensor:
        decoder = self._decoder
        source, labels = torch.tensor(decoded.source_tokens), torch.tensor(decoded.nbest[0].tokens, dtype=torch.int64)
        start = decoder.task.data_bin.language_symbols.decoder_start(self._languages["target"])
        return align(decoder.models, decoder.decoding, source, labels, start)

    @torch.no_grad()
    def _ctc_log_probs(self, decoded: Decoded) -> tuple[Tensor, int]:
        models = self._decoder.models
        tokens = torch.tensor([decoded.source_tokens], device=self._decoder.device)
        net_input = NetInput(src_tokens=tokens, src_lengths=tokens.new_tensor([tokens.size(1)]))
        return average_ctc_log_probs(models, net_input)[0][0].cpu(), BLANK_INDEX


class _Source:
    """The tokens that the encoder read, and where in the segment they lie.

    Attributes:
        is_speech: (T,) bool, True at tokens that hold units.
        ends: (T,) seconds from the begin of the segment.
    """

    def __init__(self, decoded: Decoded, heard: HeardUnits) -> None:
        num_units = torch.tensor(decoded.units_in_tokens)
        unit_ends = np.concatenate([[0.0], np.cumsum(heard.run_lengths) * heard.frame_shift_seconds])
        self.is_speech = num_units > 0
        self.ends = torch.from_numpy(unit_ends)[num_units.cumsum(0)]

    def num_sure(self, num_settled: int, seconds: float) -> int:
        """Number of leading tokens that are settled and end by then; only those of speech are asked."""
        is_sure = ~self.is_speech | ((self.ends <= seconds) & (self.is_speech.cumsum(0) <= num_settled))
        last_speech = int(self.is_speech.nonzero().max()) if self.is_speech.any() else -1
        is_sure[last_speech + 1 :] = False  # what stands behind all speech moves on with it
        return int(is_sure.cumprod(0).sum())
