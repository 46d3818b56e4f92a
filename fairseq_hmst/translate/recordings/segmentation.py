"""Cutting a long recording at its pauses, found by loudness; pure functions of RMS energies, numpy only.

A recording is halved at its longest pause, and so are the parts, until none is longer than a bound (divide and conquer,
as in Tsiamas et al. 2022, SHAS, there on the probabilities of a trained detector). Pauses of a second always part.
"""

import numpy as np

FRAME_SECONDS = 0.01  # one energy each
# A frame is speech if it is louder than this threshold, in decibels: RANGE below the loud frames of the recording, but
# above the background noise by MARGIN, and then at most CLEAR below the loud frames (a recording without pauses has no
# frames of background alone).
RANGE, MARGIN, CLEAR = 35.0, 6.0, 10.0
LOUD_PERCENTILE, QUIET_PERCENTILE = 95, 10
SILENCE = -70.0  # decibels: what is never louder holds no speech
MIN_PAUSE = 0.2  # seconds: closures of stop consonants are shorter
LONG_PAUSE = 1.0  # seconds: always parts
MIN_SPEECH = 0.1  # seconds: a click, where nothing else is near
KEPT_SILENCE = 0.15  # seconds kept at each side of a segment, or half the pause
SMOOTHING = 0.1  # seconds over which the quietest point is sought where there is no pause


def find_segments(energies: np.ndarray, max_seconds: float) -> list[tuple[float, float]]:
    """Segments of speech, in order and without overlap, as (start, end) in seconds.

    Args:
        energies: (N,) root mean square of the samples, which lie in [-1, 1], of each 10 ms.
        max_seconds: no segment is longer; at least 1.

    Returns:
        No segment where nothing is loud enough to be speech.

    Raises:
        ValueError: max_seconds is below 1.
    """
    if max_seconds < 1:
        raise ValueError(f"the longest segment must be at least 1 s, got {max_seconds}")
    levels = 20 * np.log10(np.maximum(energies, 1e-7))
    runs = _speech_runs(levels)
    kept = round(KEPT_SILENCE / FRAME_SECONDS)
    # what is kept at the sides counts: two sides, and one frame for rounding
    max_frames = int(max_seconds / FRAME_SECONDS) - 2 * kept
    parts = [part for group in _split_at_long_pauses(runs) for part in _split(group, levels, max_frames)]
    segments = []
    for number, (start, end) in enumerate(parts):
        before = 0 if number == 0 else parts[number - 1][1]
        after = len(levels) if number + 1 == len(parts) else parts[number + 1][0]
        first = max(start - kept, start - (start - before) // 2 if number else 0)
        last = min(end + kept, end + (after - end) // 2 if number + 1 < len(parts) else after)
        segments.append((round(first * FRAME_SECONDS, 2), round(last * FRAME_SECONDS, 2)))
    return segments


def _speech_runs(levels: np.ndarray) -> np.ndarray:
    """First frame and end of each stretch of speech, (R, 2); pauses between them are MIN_PAUSE or longer."""
    if len(levels) == 0 or levels.max() < SILENCE:
        return np.zeros((0, 2), dtype=np.int64)
    audible = levels[levels > SILENCE - 20]  # digital silence between recordings is not their background
    loud, quiet = (float(np.percentile(audible, p)) for p in (LOUD_PERCENTILE, QUIET_PERCENTILE))
    threshold = max(loud - RANGE, min(quiet + MARGIN, loud - CLEAR), SILENCE)
    is_speech = np.concatenate([[False], levels > threshold, [False]])
    changes = np.flatnonzero(np.diff(is_speech))
    starts, ends = changes[::2], changes[1::2]
    parts = (starts[1:] - ends[:-1]) * FRAME_SECONDS >= MIN_PAUSE
    return np.stack([starts[np.concatenate([[True], parts])], ends[np.concatenate([parts, [True]])]], axis=1)


def _split_at_long_pauses(runs: np.ndarray) -> list[np.ndarray]:
    """Groups of runs with less than LONG_PAUSE between them; what is but a click is left out."""
    pauses = (runs[1:, 0] - runs[:-1, 1]) * FRAME_SECONDS
    groups = np.split(runs, np.flatnonzero(pauses >= LONG_PAUSE) + 1)
    return [group for group in groups if (group[:, 1] - group[:, 0]).sum() * FRAME_SECONDS >= MIN_SPEECH]


def _split(runs: np.ndarray, levels: np.ndarray, max_frames: int) -> list[tuple[int, int]]:
    """Parts (first frame, end) of at most `max_frames`, from a group of runs."""
    done: list[tuple[int, int]] = []
    waiting = [runs]
    while waiting:
        group = waiting.pop()
        start, end = int(group[0, 0]), int(group[-1, 1])
        if end - start <= max_frames:
            done.append((start, end))
        elif len(group) == 1:
            cut = _quietest(levels, start, end, max_frames)
            waiting += [np.array([[cut, end]]), np.array([[start, cut]])]
        else:
            cut = int(np.argmax(group[1:, 0] - group[:-1, 1])) + 1
            waiting += [group[cut:], group[:cut]]
    return done


def _quietest(levels: np.ndarray, start: int, end: int, max_frames: int) -> int:
    """The quietest frame of speech without a pause, not near its begin or end."""
    length = end - start
    first = max_frames // 2 if length >= 1.5 * max_frames else max(length - max_frames, length // 4)
    last = min(max_frames, length - length // 4)
    width = round(SMOOTHING / FRAME_SECONDS)
    smoothed = np.convolve(levels[start:end], np.ones(width) / width, mode="same")
    return start + first + int(np.argmin(smoothed[first : last + 1]))
