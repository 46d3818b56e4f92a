"""From --decoding and fairseq's generation options to a generator."""

from types import SimpleNamespace

import pytest

from fairseq_hmst.generators.build import build_generator
from fairseq_hmst.generators.ctc import CTCGenerator
from fairseq_hmst.generators.transducer import TransducerGenerator
from fairseq_hmst.generators.transducer_greedy import LabelLimit

MODEL = SimpleNamespace(decodings=("transducer", "ctc"))


class StubDictionary(list):
    def bos(self):
        return 0

    def pad(self):
        return 1

    def eos(self):
        return 2


def build(decoding, **options):
    config = SimpleNamespace(decoding=decoding, ctc_decode_weight=None)
    return build_generator(config, [MODEL], SimpleNamespace(**options), StubDictionary(range(9)), None)


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
    assert build("transducer", max_len_a=1.5, max_len_b=10)._label_limit == LabelLimit(1.5, 10)
    assert build("transducer")._label_limit == LabelLimit(0.0, 200)  # fairseq's defaults


@pytest.mark.parametrize("decoding", ["transducer", "ctc"])
def test_a_language_model_is_refused_where_it_has_no_effect(decoding):
    with pytest.raises(ValueError, match=f"--lm-path has no effect with --decoding {decoding}"):
        build(decoding, lm_path="lm.pt")


def test_a_head_that_is_missing_is_refused():
    with pytest.raises(ValueError, match=r"--decoding joint: .* it can decode by: transducer, ctc"):
        build("joint")
