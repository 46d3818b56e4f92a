"""Beam search with a converted model finds what Hugging Face's `generate` finds."""

from argparse import Namespace

import pytest
import torch
from text_model_cases import search_by_hugging_face, text_model_case
from tiny_mbart import CONVENTIONS as MBARTS

MAX_TOKENS = 30  # of a translation


@pytest.mark.parametrize(
    ("convention", "beam", "length_penalty", "untied"),
    [
        *((convention, *search, None) for convention in MBARTS for search in ((2, 0.0), (4, 1.0), (5, 2.0))),
        *((convention, 4, 1.0, None) for convention in ("m2m-100", "nllb-200-legacy", "opus-mt", "opus-mt-several")),
        *((convention, 4, 1.0, "all") for convention in ("mbart-50", "m2m-100")),
        ("opus-mt", 4, 1.0, "output"),
        ("opus-mt-several", 4, 1.0, "decoder"),
    ],
)
def test_beam_search_finds_the_translation_of_hugging_face(convention, beam, length_penalty, untied):
    case = text_model_case(convention, untied=untied)
    batch, num_symbols = case.batch(range(21, 33)), case.num_start_symbols
    options = Namespace(beam=beam, lenpen=length_penalty, max_len_a=0, max_len_b=MAX_TOKENS)
    models = [case.model()]
    n_best_lists = case.task.inference_step(case.task.build_generator(models, options), models, batch)
    rows = [[case.row_of[h["tokens"][num_symbols:-1]].tolist() for h in n_best] for n_best in n_best_lists]
    scores = [[float(h["score"]) for h in n_best] for n_best in n_best_lists]
    found = [list(zip(*both, strict=True)) for both in zip(rows, scores, strict=True)]
    sources = [case.row_of[row[row != 1]] for row in batch["net_input"]["src_tokens"]]
    languages = case.row_of[batch["net_input"]["prev_output_tokens"][:, num_symbols]].tolist()
    expected = [
        search_by_hugging_face(case, source, language, beam, length_penalty, MAX_TOKENS)
        for source, language in zip(sources, languages, strict=True)
    ]
    is_whole = [max(len(row) for row, _ in bests) < MAX_TOKENS for bests in found]  # at the limit the rules differ
    assert sum(is_whole) > len(is_whole) / 2
    for ours, theirs in ((f, e) for f, e, whole in zip(found, expected, is_whole, strict=True) if whole):
        assert ours[0][0] == theirs[0][0]
        # of hypotheses that end at one step fairseq keeps the first, Hugging Face the best: some are in one list only
        scores = {tuple(row): score for row, score in theirs}
        in_both = [(score, scores[tuple(row)]) for row, score in ours if tuple(row) in scores]
        torch.testing.assert_close(*torch.tensor(in_both).T, atol=1e-5, rtol=1e-5)
