"""Jitter of repetition: text whose tokens are repeated as unevenly as speech gives them units, `repeat` on average."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..flat_rows import FlatRows, inner_tokens
from ..language_symbols import LanguageSymbolIds
from ..twins import RepeatedText, TextTwins
from .draws import Draws, Purpose
from .row_steps import fits, longest, needed_steps

if TYPE_CHECKING:
    from ..stream_rows import StreamRows

RULES = ("fixed", "normal", "characters")
MAX_COEFFICIENT_OF_VARIATION = 0.5  # of `normal`: of more, most draws would be cut off


class RepetitionRule(Protocol):
    """A way to draw how often each token is repeated."""

    def draw(self, tokens: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Repetitions of tokens (M,), int, 1 or more."""
        ...


@dataclass(frozen=True)
class FixedRule:
    """Repetitions `repeat` - 1, `repeat` and `repeat` + 1 with the same probability."""

    repeat: int

    def draw(self, tokens: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return self.repeat + generator.integers(-1, 2, size=len(tokens))


@dataclass(frozen=True)
class NormalRule:
    """Rounded draws of a normal distribution, cut off at 1 and as far above the mean.

    Attributes:
        repeat: the mean.
        standard_deviation: in repetitions.
    """

    repeat: int
    standard_deviation: float

    def draw(self, tokens: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        drawn = np.rint(generator.normal(self.repeat, self.standard_deviation, size=len(tokens))).astype(np.int64)
        return drawn.clip(1, 2 * self.repeat - 1)


@dataclass(frozen=True)
class CharacterRule:
    """Repetitions by the length of a piece in characters, rounded at random to keep their mean.

    Attributes:
        expected: (V,) repetitions of each id of the input dictionary, 1 or more.
    """

    expected: np.ndarray

    def draw(self, tokens: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return np.floor(self.expected[tokens] + generator.random(len(tokens))).astype(np.int64)


@dataclass(frozen=True)
class Durations:
    """Input tokens that speech has for its transcripts, N examples of a training; none without a transcript.

    Attributes:
        speech: (N,) tokens of the source, without language symbol and eos.
        text: (N,) tokens of the transcript.
        characters: (N,) characters of these.
    """

    speech: np.ndarray
    text: np.ndarray
    characters: np.ndarray

    @property
    def coefficient_of_variation(self) -> float:
        """Standard deviation of the input tokens of one text token, over their mean.

        The variance of an utterance of n tokens is n times that of a token, for tokens are taken to be independent,
        and n^2 times that of the rate of speech. Both are fitted to it over n.
        """
        mean = self.speech.sum() / self.text.sum()
        variances = (self.speech - mean * self.text) ** 2
        of_token, _ = _least_squares(np.ones(len(self.text)), self.text, variances / self.text)
        return float(np.sqrt(of_token) / mean)

    @property
    def by_characters(self) -> tuple[float, float]:
        """Input tokens of a text token, and of each of its characters."""
        return _least_squares(self.text, self.characters, self.speech)


def _least_squares(first: np.ndarray, second: np.ndarray, given: np.ndarray) -> tuple[float, float]:
    """Factors of two variables (N,) whose sum is closest to `given` (N,), neither below 0."""
    from scipy.optimize import nnls  # takes a second to import

    factors, _ = nnls(np.stack([first, second], axis=1).astype(float), given.astype(float))
    return float(factors[0]), float(factors[1])


def character_rule(durations: Durations, characters: np.ndarray, frequencies: np.ndarray, repeat: int) -> CharacterRule:
    """The rule for text whose pieces have (V,) characters and frequencies: `repeat` on average, 1 at least."""
    token, character = durations.by_characters
    weights = token + character * characters
    low, high = 0.0, repeat * 2.0 / max(float(weights[frequencies > 0].min()), 1e-3)
    for _ in range(60):  # the mean rises with the scale: bisection
        scale = (low + high) / 2
        mean = np.average(np.maximum(scale * weights, 1.0), weights=frequencies)
        low, high = (scale, high) if mean < repeat else (low, scale)
    return CharacterRule(np.maximum(high * weights, 1.0))


@dataclass(frozen=True)
class Repetitions:
    """Repetitions of the texts of a stream, others in each epoch and in each view.

    A row keeps the even ones where others would make it longer than the longest that is trained on, or leave CTC
    without a path.
    """

    rule: RepetitionRule
    language_symbols: LanguageSymbolIds

    def of_epoch(self, stream: "StreamRows", draws: Draws) -> "StreamRows":
        """The rows of a stream in an epoch and a view."""
        needed = needed_steps(stream, self.language_symbols)
        generator = draws.generator(Purpose.REPETITIONS, stream.number, draws.view)
        max_length = stream.max_lengths[0]
        found = replace(stream)
        if isinstance(stream.sources, RepeatedText):
            found.sources = self._drawn(stream.sources, needed, max_length, generator)
        if stream.twins is not None:
            found.twins = TextTwins(self._drawn(stream.twins.repeated, needed, max_length, generator))
        return found

    def _drawn(
        self, even: RepeatedText, needed: np.ndarray, max_length: float, generator: np.random.Generator
    ) -> RepeatedText:
        texts = inner_tokens(even.texts, 0, 1)
        counts = FlatRows(self.rule.draw(texts.tokens, generator), texts.sizes)
        sizes = even.of_texts(even.texts, counts).sizes
        is_kept = fits(sizes, longest(even.sizes, max_length), needed)
        kept = np.where(np.repeat(is_kept, texts.sizes), counts.tokens, even.repeat)
        return even.of_texts(even.texts, FlatRows(kept, texts.sizes))
