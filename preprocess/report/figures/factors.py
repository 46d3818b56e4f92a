"""The repeat factor: which makes source text as long as its speech, and which leaves room for CTC."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import UNSET, UnsetType

from .measures import Measures

FACTORS = range(1, 7)
CLOSE = 1.25  # lengths within this factor of each other are called close
CLOSE_CALL = 1.03  # of two typical differences
SAMPLE_SIZE = 400  # pairs that a picture shows
PERCENTILES = (10, 25, 50, 75, 90)


@dataclass(frozen=True)
class FactorFigures:
    """Text that is repeated so often, against its speech.

    Attributes:
        ratio_of_lengths: repeated text to speech, on the whole.
        typical_difference: geometric mean of the larger length to the smaller, at least 1.
        close_share: pairs whose lengths are close, 0 to 1; unset without pairs.
        percentiles: of repeated text to speech over the pairs, by percent; unset without pairs.
        text_ctc_infeasible, text_ctc_infeasible_share: sources of the text stream too short for a CTC; unset without
            a text stream.
    """

    ratio_of_lengths: float
    typical_difference: float
    close_share: float | UnsetType = UNSET
    percentiles: Mapping[int, float] | UnsetType = UNSET
    text_ctc_infeasible: int | UnsetType = UNSET
    text_ctc_infeasible_share: float | UnsetType = UNSET


@dataclass(frozen=True)
class RepeatFactors:
    """Lengths of repeated text against speech, in one split.

    Attributes:
        split: name of the split.
        paired_examples: examples with a transcript, each compared with its own speech; 0: the two streams are compared
            on the whole.
        made_with: factor of the data-bin.
        speech_percentiles, text_percentiles: lengths up to which 1 %, 2 %, ... 99 % of the examples are; text is not
            repeated.
        sample: lengths of speech and text of some pairs, drawn.
        factors: figures of each factor.
        nearest: the factor with the smallest typical difference.
        advice: in words.
    """

    split: str
    paired_examples: int
    made_with: int
    speech_percentiles: Sequence[float]
    text_percentiles: Sequence[float]
    sample: Sequence[tuple[int, int]]
    factors: Mapping[int, FactorFigures]
    nearest: int
    advice: str = ""

    @property
    def ratios(self) -> dict[int, Mapping[int, float]]:
        """Percentiles of repeated text to speech by factor; empty without pairs."""
        return {factor: found.percentiles for factor, found in self.factors.items() if found.percentiles}

    @property
    def text_ctc(self) -> dict[int, tuple[int, float]]:
        """Number and share of the text stream's sources too short for a CTC, by factor; empty without that stream."""
        return {
            factor: (found.text_ctc_infeasible, found.text_ctc_infeasible_share)
            for factor, found in self.factors.items()
            if found.text_ctc_infeasible is not UNSET and found.text_ctc_infeasible_share is not UNSET
        }


def describe_factors(speech: Measures | None, text: Measures | None, repeat: int) -> RepeatFactors | None:
    """Lengths of repeated text against speech, of one split.

    Where speech has transcripts, each is compared with its own speech; else the two streams on the whole.

    Args:
        speech: the speech stream, if there is one.
        text: the text stream, if there is one.
        repeat: the factor that the text stream was made with.

    Returns:
        the figures; None where there is nothing to compare.
    """
    if speech is None:
        return None
    speech_lengths, text_lengths = pair_lengths(speech)
    num_pairs = len(text_lengths)
    if not num_pairs:
        if text is None:
            return None
        speech_lengths, text_lengths = speech.sides["source"].lengths, text.sides["source"].lengths / repeat
    compare = _compare_pairs if num_pairs else _compare_means
    factors = {factor: _with_ctc(compare(speech_lengths, factor * text_lengths), text, factor) for factor in FACTORS}
    found = RepeatFactors(
        split=speech.stream.split,
        paired_examples=num_pairs,
        made_with=repeat,
        speech_percentiles=_percentiles(speech_lengths),
        text_percentiles=_percentiles(text_lengths),
        sample=_sample(speech_lengths, text_lengths) if num_pairs else [],
        factors=factors,
        nearest=min(FACTORS, key=lambda factor: factors[factor].typical_difference),
    )
    return replace(found, advice=" ".join(_advise(found, text)))


def pair_lengths(speech: Measures) -> tuple[np.ndarray, np.ndarray]:
    """Lengths of speech, and of its transcript, not repeated, of the examples that have both."""
    lengths = speech.sides["source"].lengths
    if "transcript" not in speech.sides:
        return lengths[:0], lengths[:0]
    transcripts = speech.sides["transcript"].lengths
    is_known = (transcripts > 0) & (lengths > 0)
    return lengths[is_known], transcripts[is_known]


def _percentiles(lengths: np.ndarray) -> list[float]:
    """Length up to which 1 %, 2 %, ... 99 % of the examples are."""
    return np.percentile(lengths, range(1, 100)).tolist()


def _sample(speech_lengths: np.ndarray, text_lengths: np.ndarray) -> list[tuple[int, int]]:
    """Lengths of speech and text of some pairs, drawn."""
    size = min(SAMPLE_SIZE, len(speech_lengths))
    drawn = np.sort(np.random.default_rng(0).choice(len(speech_lengths), size, replace=False))
    return list(zip(speech_lengths[drawn].tolist(), text_lengths[drawn].tolist(), strict=True))


def _compare_pairs(speech_lengths: np.ndarray, text_lengths: np.ndarray) -> FactorFigures:
    ratios = text_lengths / speech_lengths
    differences = np.abs(np.log2(ratios))
    percentiles = zip(PERCENTILES, np.percentile(ratios, PERCENTILES), strict=True)
    return FactorFigures(
        ratio_of_lengths=float(text_lengths.sum() / speech_lengths.sum()),
        typical_difference=float(2 ** differences.mean()),
        close_share=float(np.mean(differences <= np.log2(CLOSE))),
        percentiles={percent: float(ratio) for percent, ratio in percentiles},
    )


def _compare_means(speech_lengths: np.ndarray, text_lengths: np.ndarray) -> FactorFigures:
    ratio = float(text_lengths.mean() / speech_lengths.mean())
    return FactorFigures(ratio_of_lengths=ratio, typical_difference=max(ratio, 1 / ratio))


def _with_ctc(figures: FactorFigures, text: Measures | None, factor: int) -> FactorFigures:
    """Figures with those of the text stream's CTC, if there is a text stream."""
    if text is None:
        return figures
    number = text.infeasible_when_repeated(factor)
    share = number / text.stream.counts.examples
    return replace(figures, text_ctc_infeasible=number, text_ctc_infeasible_share=share)


def _advise(found: RepeatFactors, text: Measures | None) -> Iterator[str]:
    """Sentences that name the nearest factor, and why."""
    nearest, factors = found.nearest, found.factors
    best = factors[nearest]
    yield f"Repeating {nearest} times fits this data best:"
    if best.close_share is not UNSET:
        yield (
            f"the text is then {best.ratio_of_lengths:.2f} times as long as its speech on the whole, typically "
            f"{best.typical_difference:.2f} times longer or shorter, and {best.close_share:.0%} of the "
            f"{found.paired_examples} transcribed examples of {found.split} lie within a factor of {CLOSE}."
        )
    else:
        yield f"the text stream's mean length is then {best.ratio_of_lengths:.2f} times the speech stream's."
    rivals = [factor for factor in (nearest - 1, nearest + 1) if factor in factors]
    others = [f"ith {rival} it would be {factors[rival].ratio_of_lengths:.2f} times as long" for rival in rivals]
    yield f"W{', w'.join(others)}."
    shorter = factors.get(nearest - 1)
    if shorter and shorter.typical_difference <= CLOSE_CALL * best.typical_difference:
        yield f"{nearest - 1} is about as near and makes the text stream {1 / nearest:.0%} shorter to train on."
    if nearest == max(FACTORS) and best.ratio_of_lengths < 1 / CLOSE:
        yield "A larger factor, or a larger unit vocabulary (shorter speech), would be nearer still."
    if nearest == min(FACTORS) and best.ratio_of_lengths > CLOSE:
        yield "The text is longer than its speech even so; a smaller unit vocabulary (longer speech) would be nearer."
    if text is not None:
        yield (
            f"A CTC of the translation finds {best.text_ctc_infeasible} of {text.stream.counts.examples} sources "
            f"of the text stream too short at {nearest}, and {factors[1].text_ctc_infeasible} without repetition."
        )
    yield (
        f"The data-bin was made with {found.made_with}."
        if found.made_with != nearest
        else "That is what the data-bin was made with."
    )
