"""A sample of the utterances of a corpus: the same share of each speaker and of each talk, to within one utterance.

The utterances are put in an order in which those of a speaker stand together, and within these those of a talk (an
audio file); then every tenth is taken, say, from a start that is drawn (systematic sampling). So each is as likely as
any other. Order and start come from the seed and the utterances' ids, and from nothing else.
"""

import hashlib
from collections.abc import Hashable, Sequence

import numpy as np

from ..speech.lengths import MeasuredSpan

# Frames of one utterance are alike. What is drawn must be this much for k-means to take utterances in place of frames.
MIN_UTTERANCES = 1000
MIN_FRAMES = 250  # a cluster; about as many as k-means can use (faiss takes no more than 256)


def draw_utterances(spans: Sequence[MeasuredSpan], portion: float, seed: int) -> list[MeasuredSpan]:
    """Draw a portion of the spans, in 0..1; they stay in their order."""
    keys = [_key(item.span.ids[0], seed) for item in spans]
    speakers = [item.span.speaker for item in spans]
    talks = [(item.span.speaker, item.span.audio) for item in spans]
    # A group is named by its first utterance, so that neither paths nor the manifest's order count.
    speaker_keys, talk_keys = _first_keys(speakers, keys), _first_keys(talks, keys)
    order = sorted(range(len(spans)), key=lambda i: (speaker_keys[speakers[i]], talk_keys[talks[i]], keys[i]))
    steps = np.floor(np.arange(len(spans) + 1) * portion + np.random.default_rng(seed).random())
    is_drawn = np.zeros(len(spans), dtype=bool)
    is_drawn[order] = np.diff(steps) > 0
    return [span for span, is_taken in zip(spans, is_drawn, strict=True) if is_taken]


def are_enough(spans: Sequence[MeasuredSpan], clusters: int, frame_shift_seconds: float) -> bool:
    """Whether k-means may do with these utterances alone, by their number and length."""
    num_frames = sum(item.seconds for item in spans) / frame_shift_seconds
    return len(spans) >= MIN_UTTERANCES and num_frames >= MIN_FRAMES * clusters


def _key(utterance_id: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {utterance_id}".encode()).digest()


def _first_keys(groups: Sequence[Hashable], keys: Sequence[bytes]) -> dict[Hashable, bytes]:
    first: dict[Hashable, bytes] = {}
    for group, key in zip(groups, keys, strict=True):
        first[group] = min(key, first.get(group, key))
    return first
