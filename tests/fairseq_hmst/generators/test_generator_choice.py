"""From --decoding and fairseq's generation options to a generator."""

from types import SimpleNamespace

import pytest
import torch
from fairseq.sequence_generator import SequenceGenerator

from fairseq_hmst.data.language_symbols import LanguageSymbolIds
from fairseq_hmst.generators.ctc.ctc_generator import CTCGenerator
from fairseq_hmst.generators.generator_choice import build_generator
from fairseq_hmst.generators.transducer.transducer_generator import TransducerGenerator
from fairseq_hmst.generators.transducer.transducer_scorer import LabelLimit

MODEL = SimpleNamespace(decodings=("transducer", "ctc"))


NO_SYMBOLS = LanguageSymbolIds(eos_index=2)
SYMBOLS = LanguageSymbolIds(2, "target_first", "first_output", output_ids=frozenset({7, 8}))


class StubDictionary(list):
    def bos(self):
        return 0

    def pad(self):
        return 1

    def eos(self):
        return 2

    def unk(self):
        return 3


def build(decoding, symbols=NO_SYMBOLS, models=(MODEL,), search=None, **options):
    config = SimpleNamespace(decoding=decoding, ctc_decode_weight=None)
    return build_generator(config, [*models], SimpleNamespace(**options), StubDictionary(range(9)), symbols, search)


@pytest.mark.parametrize(
    ("decoding", "kind"), [("auto", TransducerGenerator), ("transducer", TransducerGenerator), ("ctc", CTCGenerator)]
)
def test_each_head_has_its_search(decoding, kind):
    assert isinstance(build(decoding), kind)


@pytest.mark.parametrize("decoding", ["transducer", "ctc"])
def test_fairseqs_options_reach_the_search(decoding):
    generator = build(decoding, beam=3, lenpen=0.7, unnormalized=False, lm_path=None)
    assert (generator._beam_size, generator._length_penalty) == (3, 0.7)
    assert build(decoding, beam=50, lenpen=0.7, unnormalized=True)._length_penalty == 0.0


def test_the_bound_on_length_reaches_the_transducer():
    assert build("transducer", max_len_a=1.5, max_len_b=10).label_limit == LabelLimit(1.5, 10)
    assert build("transducer").label_limit == LabelLimit(0.0, 200)  # fairseq's defaults


def test_a_head_that_is_missing_is_refused():
    with pytest.raises(ValueError, match=r"decoding joint: .* it can decode by: transducer, ctc"):
        build("joint")


class AttentionModel(torch.nn.Module):
    decodings = ("attention", "ctc")

    def max_decoder_positions(self):
        return 100


@pytest.mark.parametrize(("target_form", "more"), [("first_output", 1), ("first_input", 0)])
def test_bounds_on_length_count_the_translation_alone(target_form, more):
    symbols = LanguageSymbolIds(2, "target_first", target_form, output_ids=frozenset({7, 8}))

    def search(ensemble):
        return SequenceGenerator(ensemble, StubDictionary(range(9)), min_len=1, max_len_b=20)

    generator = build("attention", symbols, [AttentionModel()], search)
    assert (generator.min_len, generator.max_len_b) == (1 + more, 20 + more)


@pytest.mark.parametrize("decoding", ["transducer", "ctc"])
def test_searches_without_attention_never_write_symbols(decoding):
    generator = build(decoding, SYMBOLS)
    assert generator.symbols_to_strip_from_output == {2, 7, 8}
    assert generator._not_labels == {0, 1, 2, 7, 8}


def test_an_ensemble_without_a_common_head_is_refused():
    models = [SimpleNamespace(decodings=("attention",)), MODEL]
    with pytest.raises(ValueError, match=r"no head in common \(model 1: attention; model 2: transducer, ctc\)"):
        build("auto", models=models)
