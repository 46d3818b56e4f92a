"""The settings that are worth their latency: those of a family's curve on dev."""

from collections.abc import Iterable

from cells import Result

LEAST_GAIN = 1.0  # BLEU over the next faster setting; less is no reason to wait longer


def best_settings(results: Iterable[Result]) -> list[Result]:
    """Results by rising latency, each with more BLEU than all faster ones; those without latency are left out."""
    timed = [result for result in results if result["long_yaal"] is not None]
    chosen: list[Result] = []
    for result in sorted(timed, key=lambda result: (result["long_yaal"], -result["bleu"])):
        if not chosen or result["bleu"] >= chosen[-1]["bleu"] + LEAST_GAIN:
            chosen.append(result)
    return chosen
