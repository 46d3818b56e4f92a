"""Scores of references against closed forms: teacher-forced attention, and the losses of CTC and transducer."""

import pytest
import torch

from fairseq_hmst.generators.followed.table import ATTENTION, CTC, LANGUAGES, TRANSDUCER
from fairseq_hmst.losses.rnnt import rnnt_loss


def targets_of(decoder):
    """Labels of each reference, language symbol included, and </s> not."""
    dictionary = decoder.task.target_dictionary
    return [row[(row != dictionary.pad()) & (row != dictionary.eos())] for row in decoder.batch["target"]]


@pytest.mark.parametrize("search", [ATTENTION, LANGUAGES])
@pytest.mark.parametrize(("options", "power"), [({}, 1.0), ({"unnormalized": True}, 0.0), ({"lenpen": 0.5}, 0.5)])
def test_attention_scores_the_text_of_the_reference(search, options, power, decoders):
    decoder = decoders[search]
    log_probs = decoder.model(**decoder.batch["net_input"]).attention_logits.log_softmax(-1)
    results = decoder.decode(score_reference=True, **options)
    symbols = decoder.task.data_bin.language_symbols.output_ids
    for scored, target, row in zip(results, decoder.batch["target"], log_probs, strict=True):
        total = [
            float(row[place, token])
            for place, token in enumerate(target.tolist())
            if token not in symbols and token != decoder.task.target_dictionary.pad()
        ]
        assert len(scored) == 1
        assert scored[0]["tokens"].tolist() == [t for t in target.tolist() if t != 1 and t not in symbols]
        assert float(scored[0]["score"]) == pytest.approx(sum(total) / len(total) ** power, rel=1e-4)


@pytest.mark.parametrize("num_models", [1, 2])
def test_a_transducers_score_is_minus_its_loss(num_models, decoders):
    decoder = decoders[TRANSDUCER]
    output = decoder.model(**decoder.batch["net_input"])
    inputs, labels = output.transducer, targets_of(decoder)
    joined = (inputs.encoder_out[:, :, None] + inputs.predictor_out[:, None]).tanh()
    logits = joined @ inputs.weight.T + inputs.bias
    lengths = torch.tensor([len(row) for row in labels])
    padded = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True)
    expected = -rnnt_loss(logits.double(), padded, output.source_lengths, lengths, 0)
    generator = decoder.generator(score_reference=True, unnormalized=True)
    results = decoder.task.decode(generator, [decoder.model] * num_models, decoder.batch)
    assert [float(scored["score"]) for (scored,) in results] == pytest.approx(expected.tolist(), rel=1e-4)


def test_ctcs_score_is_the_sum_of_all_that_the_prefix_search_finds_for_it(decoders):
    decoder = decoders[CTC]
    found = decoder.decode(beam=20, nbest=20, unnormalized=True)
    dictionary = decoder.task.target_dictionary
    batch = {**decoder.batch, "target": torch.nn.utils.rnn.pad_sequence([row[0]["tokens"] for row in found], True, 1)}
    generator = decoder.generator(score_reference=True, unnormalized=True)
    scored = decoder.task.decode(generator, [decoder.model], batch)
    assert dictionary.pad() == 1
    for (reference,), (best, *_) in zip(scored, found, strict=True):
        assert reference["tokens"].tolist() == best["tokens"].tolist()
        # the search adds up the paths that stay in its beam
        assert float(best["score"]) <= float(reference["score"]) + 1e-4
        assert float(reference["score"]) == pytest.approx(float(best["score"]), rel=0.05)
