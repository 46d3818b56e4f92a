"""Searches on the GPU that is not there: no tensor meets one of the CPU, and hypotheses are those of the CPU."""

from argparse import Namespace

import pytest
import torch
from fairseq import utils
from search_waits import count_waits, endless_decoder, markdown, table_row, two_runs
from second_device import MixedDevices, second_device
from small_decoders import SMALL, make_decoder
from toy import REPOSITORY, batch_of, build_criterion, build_model, build_task

from fairseq_hmst.alignment import align
from fairseq_hmst.generators.ctc import ctc_search
from fairseq_hmst.generators.ctc.ctc_prefix import CTCPrefixScorer
from fairseq_hmst.generators.followed.ngrams import NgramBlocker
from fairseq_hmst.generators.followed.table import ATTENTION, CTC, JOINT, LANGUAGES, SEARCHES, TRANSDUCER
from fairseq_hmst.generators.language_ensemble import LanguageEnsemble
from fairseq_hmst.generators.transducer import transducer_beam, transducer_greedy

SHORT = {"max_len_b": 4}
TOKEN_BY_TOKEN = [
    {"beam": 1},
    {"beam": 3, "no_repeat_ngram_size": 2},
    {"beam": 3, "max_len_a": 0.1, "unkpen": 1.0, "temperature": 2.0},
    {"beam": 2, "lm_path": "language model", "lm_weight": 0.3},
]
OPTIONS = {
    ATTENTION: [
        *TOKEN_BY_TOKEN,
        {"beam": 3, "prefix_size": 1},
        {"beam": 3, "sampling": True, "sampling_topk": 3},
        {"beam": 3, "sampling": True, "sampling_topp": 0.8},
        {"beam": 4, "diverse_beam_groups": 2},
        {"beam": 4, "diversity_rate": 0.5},
        {"beam": 2, "print_alignment": "hard"},
        {"beam": 2, "print_alignment": "soft"},
    ],
    LANGUAGES: [{"beam": 3}, {"beam": 3, "prefix_size": 2}],
    JOINT: [*TOKEN_BY_TOKEN, {"beam": 3, "prefix_size": 1}],
    CTC: [{"beam": 1}, {"beam": 4}, {"beam": 3, "temperature": 2.0}, {"prefix_size": 1, "beam": 1}, {"prefix_size": 2}],
    TRANSDUCER: [
        {"beam": 1},
        {"beam": 3},
        {"beam": 3, "max_len_a": 0.5, "unkpen": 1.0, "temperature": 2.0},
        {"beam": 3, "prefix_size": 2},
    ],
}
CASES = [(search, options if search == CTC else SHORT | options) for search in SEARCHES for options in OPTIONS[search]]
CASES += [(search, {"score_reference": True}) for search in SEARCHES if search != JOINT]
HALF = [
    (search, options) for search, options in CASES if options in (SHORT | {"beam": 3}, {"beam": 4}, SHORT | {"beam": 1})
]
PRECISIONS = [(torch.float32, *case) for case in CASES]
PRECISIONS += [(dtype, *case) for dtype in (torch.float16, torch.bfloat16) for case in HALF]


@pytest.fixture(scope="module")
def decoders(toy_data_bin, two_target_data_bin):
    """A small random model of each search, and sources of different lengths; do not change them."""
    return {
        search: make_decoder(search, two_target_data_bin if search == LANGUAGES else toy_data_bin, range(3))
        for search in SEARCHES
    }


def texts_and_scores(results):
    tokens = [[hypothesis["tokens"].tolist() for hypothesis in row] for row in results]
    return tokens, [float(hypothesis["score"]) for row in results for hypothesis in row]


def best_scores(results):
    return [max(float(hypothesis["score"]) for hypothesis in row) for row in results]


@pytest.mark.parametrize(("dtype", "search", "options"), PRECISIONS)
def test_hypotheses_are_those_of_the_cpu_in_every_precision(dtype, search, options, decoders):
    results = decoders[search].on("cpu", dtype).decode(**options)
    expected, scores = texts_and_scores(results)
    best = best_scores(results)
    with second_device() as gpu:
        on_gpu = decoders[search].on("cuda", dtype)
        results = on_gpu.decode(**options)
        assert gpu.operations > 100
    found, found_scores = texts_and_scores(results)
    if dtype == torch.float32:
        assert found == expected
        assert found_scores == pytest.approx(scores, rel=1e-5)
    else:  # the CPU's own kernels round elsewhere, which prunes other hypotheses of nearly equal score
        assert best_scores(results) == pytest.approx(best, rel=5e-2)


@pytest.mark.parametrize("search", [ATTENTION, JOINT, CTC, TRANSDUCER])
def test_ensembles_decode_as_on_the_cpu(search, decoders):
    decoder = decoders[search]
    options = {"beam": 2} if search == CTC else SHORT | {"beam": 2}

    def decode(decoder):
        other = decoder.on("cpu" if decoder.device.type == "cpu" else "cuda")
        with torch.no_grad():
            for parameter in other.model.parameters():
                parameter *= 0.9
        models = [decoder.model, other.model]
        return decoder.task.decode(decoder.task.build_generator(models, Namespace(**options)), models, decoder.batch)

    expected, _ = texts_and_scores(decode(decoder))
    with second_device():
        found, _ = texts_and_scores(decode(decoder.on("cuda")))
    assert found == expected


def on_cpu(function):
    return lambda *arguments: function(*arguments).cpu()


@pytest.mark.parametrize(
    ("search", "options", "owner", "name"),
    [
        (ATTENTION, {"beam": 2, "no_repeat_ngram_size": 2}, NgramBlocker, "forward"),
        (LANGUAGES, {"beam": 2}, LanguageEnsemble, "num_forced_outputs"),
        (JOINT, {"beam": 2}, CTCPrefixScorer, "_frames_of"),
        (CTC, {"beam": 1}, ctc_search, "padding_of"),
        (CTC, {"beam": 2}, ctc_search, "longer_ids"),
        (TRANSDUCER, {"beam": 1}, transducer_greedy, "allows_label"),
        (TRANSDUCER, {"beam": 2}, transducer_beam, "longer_ids"),
    ],
)
def test_a_tensor_that_is_left_on_the_cpu_is_found(search, options, owner, name, decoders, monkeypatch):
    if search == LANGUAGES:
        forward = owner.forward_encoder

        def forget(self, net_input):
            batch = forward(self, net_input)
            batch.symbols = batch.symbols.cpu()
            return batch

        monkeypatch.setattr(owner, "forward_encoder", forget)
    else:
        monkeypatch.setattr(owner, name, on_cpu(getattr(owner, name)))
    with second_device():
        on_gpu = decoders[search].on("cuda")
        with pytest.raises(MixedDevices):
            on_gpu.decode(**options)


def small_model(task, family, **options):
    widths = {"decoder_layers": 1} if family in ("hmst_aed", "hmst_ctc_attention") else {}
    widths |= {"predictor_dim": 16, "joint_dim": 16} if family == "hmst_transducer" else {}
    return build_model(task, f"{family}_tiny", **SMALL, **widths, **options, max_target_positions=8)


VALIDATIONS = [
    ("hmst_aed", {}, torch.float32),
    ("hmst_ctc", {}, torch.float16),
    ("hmst_ctc_attention", {"encoder_type": "conformer"}, torch.float32),
    ("hmst_transducer", {}, torch.bfloat16),
    ("hmst_transducer", {"predictor": "stateless", "encoder_type": "conformer"}, torch.float32),
]


@pytest.mark.parametrize(("family", "options", "dtype"), VALIDATIONS)
def test_validation_with_bleu_is_that_of_the_cpu(family, options, dtype, toy_data_bin):
    task = build_task(toy_data_bin, eval_bleu=True)
    model, criterion = small_model(task, family, **options).to(dtype), build_criterion(task)
    if family == "hmst_transducer":
        with torch.no_grad():
            model.joiner.output.bias[0] += 3  # so that outputs end
    batch = batch_of(task, [0, 1, 21])
    with torch.no_grad():
        _, _, expected = task.valid_step(batch, model, criterion)
        with second_device():
            model.to("cuda")
            _, _, found = task.valid_step(utils.move_to_cuda(batch, torch.device("cuda:0")), model, criterion)
            scores = {name: float(value) for name, value in found.items() if "bleu" in name or "chrf" in name}
    assert scores == {name: float(expected[name]) for name in scores}
    assert scores["_bleu_ref_len"] > 0


@pytest.mark.parametrize(
    ("family", "decoding"),
    [("hmst_aed", "attention"), ("hmst_ctc_attention", "ctc"), ("hmst_transducer", "transducer")],
)
def test_alignments_are_those_of_the_cpu(family, decoding, toy_task):
    model = small_model(toy_task, family)
    batch = batch_of(toy_task, [0])
    labels, read = batch["labels"][0], batch["net_input"]["prev_output_tokens"][0]
    inputs = batch["net_input"]["src_tokens"][0], labels[:4], read[: len(read) - len(labels)]
    expected = align([model], decoding, *inputs)
    with second_device():
        found = align([model.to("cuda")], decoding, *inputs)
    assert found.device.type == "cpu"
    torch.testing.assert_close(found, expected)


@pytest.fixture(scope="module")
def waits(decoders):
    """By search and beam: waits of a run of few steps and of one of many."""
    searches = (ATTENTION, JOINT, CTC, TRANSDUCER)
    return {(search, beam): two_runs(search, beam, decoders[search]) for search in searches for beam in (1, 3)}


def test_no_search_waits_in_its_loop_but_for_a_transducers_every_eighth_symbol(waits):
    for (search, _), (few, many) in waits.items():
        new_steps = many.steps - few.steps
        assert new_steps > 1
        assert many.own - few.own <= (new_steps // 8 if search == TRANSDUCER else 0), search
        # of fairseq's beam search: two masks, what has ended, an assertion
        assert many.fairseqs - few.fairseqs <= (4 * new_steps if search in (ATTENTION, JOINT) else 0), search
        assert few.own <= 7


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("search", [ATTENTION, JOINT, CTC, TRANSDUCER])
def test_a_beginning_makes_no_step_wait_and_a_batch_a_few_times(search, beam, decoders, waits):
    decoder, options = decoders[search], {"beam": beam}
    if search != CTC:
        decoder, options = endless_decoder(search, decoder), SHORT | options
    plain, few, more = (count_waits(decoder, options | {"prefix_size": size}) for size in (0, 1, 3))
    assert few.own <= plain.own + 4
    assert more.own <= few.own


def test_the_documents_table_of_waits_is_what_is_counted(waits):
    page = (REPOSITORY / "docs" / "decoding.md").read_text(encoding="utf-8")
    assert markdown([table_row(*key, *runs) for key, runs in waits.items()]) in page
