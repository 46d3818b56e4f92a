import math
import random
from collections import Counter
from pathlib import Path

import pytest

from preprocess.clustering.utterance_sample import MIN_FRAMES, MIN_UTTERANCES, are_enough, draw_utterances
from preprocess.speech.frames import AudioSpan
from preprocess.speech.lengths import MeasuredSpan


def corpus(first_talk: int = 0, step: int = 1) -> list[MeasuredSpan]:
    """Six speakers with 1 to 6 talks of 1 to 60 utterances each, in an order that tells nothing."""
    generator = random.Random(0)
    spans = []
    for speaker in range(6):
        for talk in range(speaker + 1):
            path = Path(f"{first_talk + step * talk}-{speaker}.wav")
            for index in range(generator.randint(1, 60)):
                name = f"{speaker}-{talk}-{index}"
                span = AudioSpan(path, 3.0 * index, 3.0, (name,), ("x.tsv:2",), f"speaker {speaker}")
                spans.append(MeasuredSpan(span, 3.0))
    generator.shuffle(spans)
    return spans


def ids(spans: list[MeasuredSpan]) -> list[str]:
    return [item.span.ids[0] for item in spans]


@pytest.mark.parametrize("portion", [0.1, 0.25, 0.37, 0.9])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_speaker_and_each_talk_gives_its_share_to_within_one_utterance(portion: float, seed: int):
    spans = corpus()
    drawn = draw_utterances(spans, portion, seed)
    assert abs(len(drawn) - portion * len(spans)) < 1
    for group in (lambda item: item.span.speaker, lambda item: item.span.audio):
        counts = Counter(map(group, drawn))
        for name, total in Counter(map(group, spans)).items():
            share = portion * total
            assert math.floor(share + 1e-9) <= counts[name] <= math.ceil(share - 1e-9)


@pytest.mark.parametrize("size", [3, 40])
def test_each_utterance_is_equally_likely(size: int):
    spans = corpus()[:size]
    counts = Counter(name for seed in range(1000) for name in ids(draw_utterances(spans, 0.2, seed)))
    deviation = math.sqrt(1000 * 0.2 * 0.8)
    assert all(abs(counts[name] - 200) < 5 * deviation for name in ids(spans))


def test_the_draw_depends_on_the_seed_and_not_on_order_or_paths():
    first, spans = set(ids(draw_utterances(corpus(), 0.2, 0))), corpus(first_talk=9, step=-1)
    assert set(ids(draw_utterances(spans, 0.2, 0))) == first
    assert set(ids(draw_utterances(spans[::-1], 0.2, 0))) == first
    assert set(ids(draw_utterances(spans, 0.2, 1))) != first


def test_what_is_drawn_stays_in_its_order():
    spans = corpus()
    drawn = ids(draw_utterances(spans, 0.5, 0))
    assert drawn == [name for name in ids(spans) if name in set(drawn)]


def test_enough_is_a_number_of_utterances_and_of_frames_a_cluster():
    spans = [corpus()[0]] * MIN_UTTERANCES  # of 3 s
    clusters = 3 * MIN_UTTERANCES * 50 // MIN_FRAMES
    assert are_enough(spans, clusters, 0.02)
    assert not are_enough(spans, clusters + 1, 0.02)
    assert not are_enough(spans[1:], 1, 0.02)
