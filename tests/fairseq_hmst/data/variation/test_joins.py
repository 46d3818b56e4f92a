"""Joined rows: what they are made of, by hand; test_building.py has those of a whole training."""

import math

import numpy as np
import pytest
import torch
from token_rows import rows_of

from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.data.stream_rows import StreamRows
from fairseq_hmst.data.twins import RepeatedText, TextTwins
from fairseq_hmst.data.variation.draws import Draws
from fairseq_hmst.data.variation.joins import ALONE, JoinedRows, Joins, joinable_groups


def test_texts_follow_each_other_between_the_edges_of_the_first():
    rows = rows_of([9, 5, 6, 2], [9, 7, 2], [9, 8, 8, 2])
    joined = JoinedRows(rows, np.array([2, ALONE, 1]), 1, 1)
    assert [row.tolist() for row in map(joined.__getitem__, range(3))] == [
        [9, 5, 6, 8, 8, 2],
        [9, 7, 2],
        [9, 8, 8, 7, 2],
    ]
    assert joined.sizes.tolist() == [6, 3, 5]


def joined_targets(groups, sources, targets, epoch=1):
    joins = Joins(0.999, np.array(groups), LanguageSymbolIds(2))
    found = joins.of_epoch(StreamRows("st", sources, targets), Draws(1, epoch)).targets
    return [found[row].tolist() for row in range(len(targets))]


LONG = [4, 3, 4, 3, 4, 3, 4, 3, 4, 2]


def test_rows_of_other_speakers_and_unknown_ones_stay_alone():
    sources = rows_of([4, 3, 2], [4, 3, 2], [4, 3, 2], [4, 3, 2], LONG)
    targets = rows_of([5, 2], [6, 2], [7, 2], [8, 2], [9, 10, 11, 12, 2])
    found = joined_targets([0, 0, 1, ALONE, 1], sources, targets)
    assert found[:2] == [[5, 6, 2], [6, 5, 2]]
    assert found[2:] == [row.tolist() for row in targets[2:]]  # with the long one it would be longer than the longest


def test_a_sentence_is_not_joined_with_itself():
    sources, targets = rows_of(*[[4, 3, 2]] * 6, LONG), rows_of(*[[5, 2]] * 6, [6, 7, 8, 9, 2])
    for epoch in range(1, 9):
        assert joined_targets([0] * 7, sources, targets, epoch) == [row.tolist() for row in targets]


def test_a_pair_without_a_ctc_path_stays_alone():
    # alone each label has its step and eos one more; together the equal labels need one between them
    sources, targets = rows_of([4, 2], [3, 2], LONG), rows_of([5, 5, 2], [5, 2], [6, 7, 8, 9, 2])
    assert joined_targets([0, 0, ALONE], sources, targets) == [row.tolist() for row in targets]


@pytest.mark.parametrize("longest", [3, 4])
def test_rows_are_as_long_as_the_longest_row_at_most(longest):
    sources, targets = rows_of([4, 3, 2], [4, 3, 2], LONG), rows_of([5, 2], [6, 2], [6, 7, 8, 9, 2])
    short_sources = rows_of([4, 3, 2], [4, 3, 2], [4] * longest + [2])
    joined, alone = [[5, 6, 2], [6, 5, 2]], [[5, 2], [6, 2]]
    assert joined_targets([0, 0, ALONE], short_sources, targets)[:2] == (joined if longest == 4 else alone)
    short_targets = rows_of([5, 2], [6, 2], [7] * (longest - 2) + [2])
    assert joined_targets([0, 0, ALONE], sources, short_targets)[:2] == (joined if longest == 4 else alone)


def test_a_transcript_is_not_lost_beside_a_sentence_without_one():
    texts = rows_of([5, 2], [2], [2], [7, 8, 9, 2])
    sources, targets = rows_of(*[[4, 3, 2]] * 3, LONG), rows_of([5, 2], [6, 2], [7, 2], [9, 10, 11, 12, 2])
    partners = set()
    for epoch in range(1, 30):
        joins = Joins(0.999, np.array([0, 0, 0, ALONE]), LanguageSymbolIds(2))
        found = joins.of_epoch(StreamRows("st", sources, targets, texts), Draws(1, epoch))
        assert found.transcripts[0].tolist() == [5, 2] and found.targets[0].tolist() == [5, 2]
        partners.add(tuple(found.targets[1].tolist()))
    assert partners == {(6, 2), (6, 7, 2)}


def test_twins_too_need_a_ctc_path():
    # repeated twice, each text has the four steps that its labels need; together the equal labels need one more
    texts, targets = rows_of([5, 2], [6, 2], [7] * 9 + [2]), rows_of([8, 9, 8, 2], [8, 8, 2], [5, 6] * 5 + [2])
    sources = rows_of(*[[4, 3] * 4 + [2]] * 2, LONG * 2)
    for repeat, expected in ((2, [8, 9, 8, 2]), (3, [8, 9, 8, 8, 8, 2])):
        twins = TextTwins(RepeatedText(sources, texts, repeat, LanguageSymbolIds(2)))
        stream = StreamRows("st", sources, targets, texts, twins=twins)
        found = Joins(0.999, np.array([0, 0, ALONE]), LanguageSymbolIds(2)).of_epoch(stream, Draws(1, 1))
        assert found.targets[0].tolist() == expected


def test_rows_with_another_sentence_of_their_speaker_are_counted():
    targets = rows_of([5, 2], [5, 2], [6, 2], [7, 2], [8, 2], [9, 2], [9, 2], [5, 2])
    groups = joinable_groups(np.array([0, 1, 0, ALONE, ALONE, 2, 2, 0]), targets)
    assert groups.tolist() == [0, ALONE, 0, ALONE, ALONE, ALONE, ALONE, 0]
    assert Joins(0.5, groups, LanguageSymbolIds(2)).num_joinable == 3


@pytest.mark.parametrize(("max_lengths", "is_joined"), [((10, 10), True), ((5, 10), True), ((4, 10), False)])
def test_a_row_that_no_training_takes_is_no_measure_of_others(max_lengths, is_joined):
    sources, targets = rows_of([4, 3, 2], [4, 3, 2], LONG), rows_of([5, 2], [6, 2], [6, 7, 8, 9, 2])
    sources.append(torch.tensor([4, 3, 4, 3, 2]))
    targets.append(torch.tensor([5, 6, 2]))
    stream = StreamRows("st", sources, targets, max_lengths=max_lengths)
    found = Joins(0.999, np.array([0, 0, ALONE, ALONE]), LanguageSymbolIds(2)).of_epoch(stream, Draws(1, 1))
    assert found.targets[0].tolist() == ([5, 6, 2] if is_joined else [5, 2])


@pytest.mark.parametrize(("max_target", "is_joined"), [(5, True), (3, True), (2, False)])
def test_nor_is_a_target_that_no_training_takes(max_target, is_joined):
    sources, targets = rows_of([4, 3, 2], [4, 3, 2], LONG, LONG), rows_of([5, 2], [6, 2], [6, 7, 8, 9, 2], [5, 6, 2])
    stream = StreamRows("st", sources, targets, max_lengths=(math.inf, max_target))
    found = Joins(0.999, np.array([0, 0, ALONE, ALONE]), LanguageSymbolIds(2)).of_epoch(stream, Draws(1, 1))
    assert found.targets[0].tolist() == ([5, 6, 2] if is_joined else [5, 2])


def test_twins_are_those_of_the_joined_transcripts():
    texts = rows_of([5, 2], [6, 2], [2], [7, 8, 9, 2])
    sources, targets = rows_of(*[[4, 3, 2]] * 3, LONG), rows_of([5, 2], [6, 2], [7, 2], [9, 10, 11, 12, 2])
    twins = TextTwins(RepeatedText(sources, texts, 2, LanguageSymbolIds(2)))
    stream = StreamRows("st", sources, targets, texts, twins=twins)
    found = Joins(0.999, np.array([0, 0, 1, 1]), LanguageSymbolIds(2)).of_epoch(stream, Draws(1, 1))
    assert [found.transcripts[row].tolist() for row in range(2)] == [[5, 6, 2], [6, 5, 2]]
    assert [found.twins[row].tolist() for row in range(2)] == [[5, 5, 6, 6, 2], [6, 6, 5, 5, 2]]
    assert found.twins[2] is None
    assert found.twins.sizes.tolist() == [5, 5, 0, 7]
