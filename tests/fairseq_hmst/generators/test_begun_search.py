"""Given beginnings with every search: each hypothesis has its own, rows of a batch decode as if alone."""

import pytest
import torch

from fairseq_hmst.generators.followed.table import ATTENTION, JOINT, LANGUAGES, SEARCHES, TRANSDUCER

TOKEN_BY_TOKEN = (ATTENTION, LANGUAGES, JOINT)
PADDING, EOS = 1, 2
BEGINNINGS = [[17, 9, 17], [8]]  # of the two utterances of a decoder


def as_tensor(rows):
    longest = max(map(len, rows), default=0)
    return torch.tensor([row + [PADDING] * (longest - len(row)) for row in rows], dtype=torch.int64)


def decode(decoder, prefix, rows=(0, 1), ctc_weight=None, **options):
    """(labels without language symbol and </s>, log-probability) of each hypothesis."""
    index = torch.tensor(rows)
    batch = {name: value[index] for name, value in decoder.batch.items() if isinstance(value, torch.Tensor)}
    batch["net_input"] = {name: value[index] for name, value in decoder.batch["net_input"].items()}
    generator = decoder.generator(unnormalized=True, **options)
    if ctc_weight is not None:
        generator.model.ctc_weight = ctc_weight
    prefix = None if prefix is None else as_tensor(prefix)
    results = decoder.task.decode(generator, [decoder.model], batch, prefix_tokens=prefix)
    symbols = {*decoder.task.data_bin.language_symbols.output_ids, EOS}
    rows = [[(hypothesis["tokens"].tolist(), float(hypothesis["score"])) for hypothesis in row] for row in results]
    return [[(tuple(token for token in tokens if token not in symbols), score) for tokens, score in r] for r in rows]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for found_row, expected_row in zip(found, expected, strict=True):
        assert [labels for labels, _ in found_row] == [labels for labels, _ in expected_row]
        scores = [score for _, score in found_row]
        assert scores == pytest.approx([score for _, score in expected_row], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("search", SEARCHES)
def test_every_hypothesis_has_its_beginning_and_a_batch_decodes_as_one_by_one(search, beam, decoders):
    decoder = decoders[search]
    for beginnings in (BEGINNINGS, [[8, 9], []]):
        found = decode(decoder, beginnings, beam=beam)
        for row, beginning in zip(found, beginnings, strict=True):
            assert 1 <= len(row) <= beam
            assert all(labels[: len(beginning)] == tuple(beginning) for labels, _ in row)
            assert len({labels for labels, _ in row}) == len(row)
        alone = [decode(decoder, [beginning], [row], beam=beam)[0] for row, beginning in enumerate(beginnings)]
        assert_same(found, alone)


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("search", SEARCHES)
def test_an_empty_beginning_is_none(search, beam, decoders):
    plain = decode(decoders[search], None, beam=beam)
    assert decode(decoders[search], [[], []], beam=beam) == plain
    assert decode(decoders[search], [[PADDING], [PADDING]], beam=beam) == plain


@pytest.mark.parametrize("search", SEARCHES)
def test_the_beginning_of_the_best_hypothesis_gives_one_as_good(search, decoders):
    # of one length, since fairseq's search ends with the first `beam` hypotheses that end
    options = {"beam": 11} | ({"min_len": 3, "max_len_b": 3} if search in TOKEN_BY_TOKEN else {})
    plain = decode(decoders[search], None, **options)
    for length in (1, 2):
        beginnings = [list(row[0][0][:length]) for row in plain]
        for found, expected in zip(decode(decoders[search], beginnings, **options), plain, strict=True):
            assert found[0][1] >= expected[0][1] - 1e-4


@pytest.mark.parametrize("search", SEARCHES)
def test_end_of_sentence_ends_every_hypothesis_after_the_beginning(search, decoders):
    for row, beginning in zip(decode(decoders[search], [[8, 9, EOS], [8, EOS]], beam=3), [(8, 9), (8,)], strict=True):
        assert {labels for labels, _ in row} == {beginning}


@pytest.mark.parametrize("search", [ATTENTION, LANGUAGES])
def test_the_score_is_of_the_whole_hypothesis(search, decoders):
    decoder = decoders[search]
    (whole,) = decode(decoder, [[8, 9, EOS]], [0], beam=2)
    symbols = decoder.task.data_bin.language_symbols
    start = decoder.batch["net_input"]["prev_output_tokens"][:1, : symbols.num_start_tokens]
    read = torch.cat([start, torch.tensor([[8, 9]])], 1)
    inputs = {name: value[:1] for name, value in decoder.batch["net_input"].items()} | {"prev_output_tokens": read}
    log_probs = decoder.model(**inputs).attention_logits[0, symbols.num_start_tokens - 1 :].log_softmax(-1)
    expected = float(log_probs.gather(1, torch.tensor([[8], [9], [EOS]])).sum())
    assert [score for _, score in whole] == pytest.approx([expected] * len(whole), rel=1e-4)


@pytest.mark.parametrize("search", [*TOKEN_BY_TOKEN, TRANSDUCER])
def test_a_beginning_beyond_the_limit_of_length_is_the_whole_translation(search, decoders):
    beginnings = [[8, 9, 8, 9, 8], [8]]
    for limit in ({"max_len_b": 3}, {"max_len_a": 0.05, "max_len_b": 2}):
        long, short = decode(decoders[search], beginnings, beam=3, **limit)
        assert {labels for labels, _ in long} == {tuple(beginnings[0])}
        assert all(1 <= len(labels) <= 3 for labels, _ in short)
        assert_same([short], decode(decoders[search], [[8]], [1], beam=3, **limit))


@pytest.mark.parametrize("search", TOKEN_BY_TOKEN)
def test_the_least_length_holds_beside_a_longer_beginning(search, decoders):
    _, short = decode(decoders[search], [[8] * 6, []], beam=3, min_len=4, max_len_b=8)
    assert all(len(labels) >= 4 for labels, _ in short)
    assert_same([short], decode(decoders[search], [[]], [1], beam=3, min_len=4, max_len_b=8))


@pytest.mark.parametrize("search", SEARCHES)
def test_a_language_symbol_before_a_beginning_may_be_left_out(search, decoders):
    symbols = sorted(decoders[search].task.data_bin.language_symbols.output_ids) or [PADDING]
    with_symbol = [[symbols[0], *beginning] for beginning in BEGINNINGS]
    assert decode(decoders[search], with_symbol, beam=3) == decode(decoders[search], BEGINNINGS, beam=3)


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_joint_decoding_keeps_a_beginning_that_ctc_cannot_align(weight, decoders):
    impossible = [9] * 12  # each pair of which needs a blank between
    assert 2 * len(impossible) - 1 > int(decoders[JOINT].batch["net_input"]["src_lengths"][0])
    (row,) = decode(decoders[JOINT], [impossible], [0], weight, beam=3, max_len_b=14)
    assert row
    assert all(labels[:12] == tuple(impossible) for labels, _ in row)


def test_a_beginning_longer_than_the_decoder_can_read_is_refused(decoders):
    with pytest.raises(ValueError, match="a beginning has 25 tokens, the decoder has positions for 1"):
        decode(decoders[ATTENTION], [[8] * 25], [0])


def test_a_beginning_does_not_go_with_ngrams_that_may_not_repeat(decoders):
    from preprocess.errors import OptionError

    with pytest.raises(OptionError, match="no_repeat_ngram_size does not go with a given beginning"):
        decode(decoders[ATTENTION], [[8, 8, 8]], [0], no_repeat_ngram_size=2)
