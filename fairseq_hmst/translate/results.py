"""The results of translating: a Translation has Segments, and each of these has Hypotheses."""

from dataclasses import dataclass
from pathlib import Path

from .errors import TranslationError

Times = tuple[float, float]  # begin and end, seconds


@dataclass(frozen=True)
class Hypothesis:
    """One translation of a segment.

    Attributes:
        text: plain text.
        score: what hypotheses are ranked by, in nats: the log-probability over length ** lenpen. fairseq-generate
            prints it in bits, which is this over ln 2.
        tokens: ids of its subwords in the output dictionary, without language symbol and </s>.
        is_cut: whether it is as long as an output may be, so that its end may be missing.
    """

    text: str
    score: float
    tokens: tuple[int, ...]
    is_cut: bool = False


@dataclass(frozen=True)
class Segment:
    """A stretch of a recording, or a line of text, and its translation; times are seconds of the original file.

    Attributes:
        start, end: None for a line of text.
        nbest: best first; at least one.
        transcript: a guess at what was said, from the CTC on the source transcript; None for text, and where the model
            has no such head.
        units: deduplicated speech units.
        unit_times: of each unit.
        source_tokens: what the encoder saw, ids of the input dictionary, language symbol and </s> included.
        source_times: of each of these tokens; None for a token without sound.
    """

    start: float | None
    end: float | None
    nbest: tuple[Hypothesis, ...]
    transcript: str | None = None
    units: tuple[int, ...] = ()
    unit_times: tuple[Times, ...] = ()
    source_tokens: tuple[int, ...] = ()
    source_times: tuple[Times | None, ...] = ()

    @property
    def text(self) -> str:
        """Text of the best hypothesis."""
        return self.nbest[0].text

    @property
    def score(self) -> float:
        """Score of the best hypothesis."""
        return self.nbest[0].score

    @property
    def is_cut(self) -> bool:
        """Whether the end of the best hypothesis may be missing."""
        return self.nbest[0].is_cut


@dataclass(frozen=True)
class Translation:
    """The translation of one recording, row of a manifest, or line of text.

    Attributes:
        source: path or name of the recording, id of the row, or the line itself.
        segments: in order; several where a long recording was cut at pauses, none where nothing is said in it.
        fault: why it could not be translated; None where it was.
    """

    source: str
    segments: tuple[Segment, ...] = ()
    fault: TranslationError | None = None

    @property
    def failure(self) -> TranslationError | None:
        """The fault with the source as its outermost place, where it is not that already."""
        if self.fault is None or self.fault.places[:1] in ((self.source,), (str(Path(self.source)),)):
            return self.fault
        return self.fault.at(self.source)

    @property
    def text(self) -> str:
        """The segments' texts, joined by spaces."""
        return " ".join(segment.text for segment in self.segments if segment.text)

    @property
    def score(self) -> float:
        """The mean of the segments' scores; 0 without segments."""
        scores = [segment.score for segment in self.segments]
        return sum(scores) / len(scores) if scores else 0.0

    @property
    def is_cut(self) -> bool:
        """Whether the end of a segment's translation may be missing."""
        return any(segment.is_cut for segment in self.segments)

    @property
    def transcript(self) -> str | None:
        """The segments' transcripts, joined by spaces; None where the model has none."""
        found = [segment.transcript for segment in self.segments if segment.transcript is not None]
        return " ".join(found) if found else None
