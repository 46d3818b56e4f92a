"""The repeat factor: which makes source text as long as its speech, and which leaves room for CTC."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .measures import Measures

FACTORS = range(1, 7)
CLOSE = 1.25  # lengths within this factor of each other are called close
CLOSE_CALL = 1.03  # of two typical differences
SAMPLE_SIZE = 400  # pairs that a picture shows
PERCENTILES = (10, 25, 50, 75, 90)


def describe_factors(speech: Measures | None, text: Measures | None, repeat: int) -> dict[str, Any] | None:
    """Lengths of repeated text against speech, of one split.

    Where speech has transcripts, each is compared with its own speech; else the two streams on the whole.

    Args:
        speech: the speech stream, if there is one.
        text: the text stream, if there is one.
        repeat: the factor that the text stream was made with.

    Returns:
        the figures of each factor, the nearest one, and advice in words; None where there is nothing to compare.
    """
    if speech is None:
        return None
    speech_lengths, text_lengths = paired_lengths(speech)
    num_pairs = len(text_lengths)
    if not num_pairs:
        if text is None:
            return None
        speech_lengths, text_lengths = speech.sides["source"].lengths, text.sides["source"].lengths / repeat
    figures: dict[str, Any] = {
        "split": speech.stream.split,
        "paired_examples": num_pairs,
        "made_with": repeat,
        "speech_percentiles": _percentiles(speech_lengths),
        "text_percentiles": _percentiles(text_lengths),
        "sample": _sample(speech_lengths, text_lengths) if num_pairs else [],
        "factors": {},
    }
    for factor in FACTORS:
        compare = _compare_pairs if num_pairs else _compare_means
        entry = compare(speech_lengths, factor * text_lengths)
        if text is not None:
            number = text.infeasible_when_repeated(factor)
            entry["text_ctc_infeasible"] = number
            entry["text_ctc_infeasible_share"] = number / text.stream.counts.examples
        figures["factors"][str(factor)] = entry
    figures["nearest"] = min(FACTORS, key=lambda factor: figures["factors"][str(factor)]["typical_difference"])
    figures["advice"] = " ".join(_advise(figures, text))
    return figures


def paired_lengths(speech: Measures) -> tuple[np.ndarray, np.ndarray]:
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


def _sample(speech_lengths: np.ndarray, text_lengths: np.ndarray) -> list[list[int]]:
    """Lengths of speech and text of some pairs, drawn."""
    size = min(SAMPLE_SIZE, len(speech_lengths))
    drawn = np.sort(np.random.default_rng(0).choice(len(speech_lengths), size, replace=False))
    return np.stack([speech_lengths[drawn], text_lengths[drawn]], axis=1).tolist()


def _compare_pairs(speech_lengths: np.ndarray, text_lengths: np.ndarray) -> dict[str, Any]:
    ratios = text_lengths / speech_lengths
    differences = np.abs(np.log2(ratios))
    percentiles = zip(PERCENTILES, np.percentile(ratios, PERCENTILES), strict=True)
    return {
        "ratio_of_lengths": float(text_lengths.sum() / speech_lengths.sum()),
        "typical_difference": float(2 ** differences.mean()),
        "close_share": float(np.mean(differences <= np.log2(CLOSE))),
        "percentiles": {str(percent): float(ratio) for percent, ratio in percentiles},
    }


def _compare_means(speech_lengths: np.ndarray, text_lengths: np.ndarray) -> dict[str, Any]:
    ratio = float(text_lengths.mean() / speech_lengths.mean())
    return {"ratio_of_lengths": ratio, "typical_difference": max(ratio, 1 / ratio)}


def _advise(figures: dict[str, Any], text: Measures | None) -> Iterator[str]:
    """Sentences that name the nearest factor, and why."""
    nearest = figures["nearest"]
    by_factor = {int(factor): entry for factor, entry in figures["factors"].items()}
    best = by_factor[nearest]
    yield f"Repeating {nearest} times fits this data best:"
    if figures["paired_examples"]:
        yield (
            f"the text is then {best['ratio_of_lengths']:.2f} times as long as its speech on the whole, typically "
            f"{best['typical_difference']:.2f} times longer or shorter, and {best['close_share']:.0%} of the "
            f"{figures['paired_examples']} transcribed examples of {figures['split']} lie within a factor of {CLOSE}."
        )
    else:
        yield f"the text stream's mean length is then {best['ratio_of_lengths']:.2f} times the speech stream's."
    rivals = [factor for factor in (nearest - 1, nearest + 1) if factor in by_factor]
    others = [f"ith {rival} it would be {by_factor[rival]['ratio_of_lengths']:.2f} times as long" for rival in rivals]
    yield f"W{', w'.join(others)}."
    shorter = by_factor.get(nearest - 1)
    if shorter and shorter["typical_difference"] <= CLOSE_CALL * best["typical_difference"]:
        yield f"{nearest - 1} is about as near and makes the text stream {1 / nearest:.0%} shorter to train on."
    if nearest == max(FACTORS) and best["ratio_of_lengths"] < 1 / CLOSE:
        yield "A larger factor, or a larger unit vocabulary (shorter speech), would be nearer still."
    if nearest == min(FACTORS) and best["ratio_of_lengths"] > CLOSE:
        yield "The text is longer than its speech even so; a smaller unit vocabulary (longer speech) would be nearer."
    if text is not None:
        yield (
            f"A CTC of the translation finds {best['text_ctc_infeasible']} of {text.stream.counts.examples} sources "
            f"of the text stream too short at {nearest}, and {by_factor[1]['text_ctc_infeasible']} without repetition."
        )
    made_with = figures["made_with"]
    yield (
        f"The data-bin was made with {made_with}."
        if made_with != nearest
        else "That is what the data-bin was made with."
    )
