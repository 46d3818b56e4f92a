"""Training on a GPU: no tensor was left on the CPU, and half precision follows float32."""

import pytest
import torch
from device_training import FAMILIES, Case, run_on_cpu, run_on_device, run_trainer
from second_device import DEVICE, MixedDevices, SecondDevice, second_device

from fairseq_hmst.criterions import joint_criterion
from fairseq_hmst.criterions.head_losses import HeadLosses
from fairseq_hmst.modules.ctc_head import CTCHead
from fairseq_hmst.modules.joint_embedding import JointEmbedding

CONFORMER = {"encoder_type": "conformer"}
CASES = [  # number of target languages, and what is trained
    (1, Case("hmst_aed", {"target_ctc": True}, {"consistency_weight": 1.0})),
    (2, Case("hmst_aed", CONFORMER | {"learned_positions": True}, {"rdrop_weight": 1.0})),
    (2, Case("hmst_ctc", {}, {"rdrop_weight": 1.0, "mt_weight": 0.5})),
    (1, Case("hmst_ctc", CONFORMER, {"source_ctc_streams": "st"})),
    (1, Case("hmst_ctc_attention", {}, {"rdrop_weight": 1.0, "consistency_weight": 1.0})),
    (2, Case("hmst_ctc_attention", CONFORMER, {"label_smoothing": 0.2})),
    (1, Case("hmst_transducer", {"target_ctc": True})),
    (2, Case("hmst_transducer", CONFORMER | {"predictor": "stateless"})),
]
TOLERANCES = {"float32": 1e-6, "float16": 1e-3, "bfloat16": 5e-3, "autocast": 1e-3}


@pytest.mark.parametrize(("languages", "case"), CASES, ids=str)
def test_losses_and_gradients_on_a_gpu_are_those_of_the_cpu_and_wait_for_nothing(tasks, languages, case):
    expected = run_on_cpu(case, tasks[languages])
    for precision, tolerance in TOLERANCES.items():
        found = run_on_device(case, tasks[languages], precision)
        found.check_near(expected, tolerance)
        waits = {place for place in found.waits if not place.startswith("fairseq_hmst/losses/rnnt_joiner.py")}
        assert waits == set()  # but for one of the transducer, see test_host_waits.py


@pytest.mark.parametrize("family", FAMILIES)
def test_updates_and_validations_by_fairseqs_trainer_are_those_of_the_cpu(tasks, steps_on_device, family):
    expected = run_trainer(Case(family), tasks[1], SecondDevice())
    assert expected[1].logged["loss"] < expected[0].logged["loss"] - 0.05
    for precision, tolerance in ((None, 0.002), (FAMILIES[family], 0.02)):
        for found, step in zip(steps_on_device(family, precision), expected, strict=True):
            losses = {name: value for name, value in step.logged.items() if name.endswith(("loss", "wer"))}
            assert {name: found.logged[name] for name in losses} == pytest.approx(losses, abs=tolerance)


def test_shared_embeddings_on_a_gpu_are_those_of_the_cpu():
    torch.manual_seed(0)
    embedding, tokens = JointEmbedding(torch.nn.Embedding(6, 4, 1), num_units=3), torch.tensor([[0, 5, 6, 8, 1]])
    expected = embedding(tokens)
    with second_device():
        assert torch.equal(embedding.to(DEVICE)(tokens.to(DEVICE)).cpu(), expected)


ALL_HEADS = CASES[4][1]


def arange_on_cpu(*numbers, arange=torch.arange, device=None, **options):
    return arange(*numbers, **options)


def weights_on_cpu(*arguments, by_stream=joint_criterion.by_stream):
    return by_stream(*arguments).cpu()


@pytest.mark.parametrize(
    ("where", "name", "planted"),
    [
        (torch, "arange", arange_on_cpu),
        (joint_criterion, "by_stream", weights_on_cpu),
        (HeadLosses, "_all_rows", lambda heads: torch.arange(len(heads.num_tokens))),
    ],
)
def test_a_tensor_that_is_left_on_the_cpu_is_found(tasks, monkeypatch, where, name, planted):
    monkeypatch.setattr(where, name, planted)
    with pytest.raises(MixedDevices):
        run_on_device(ALL_HEADS, tasks[1], "float32")


CTC_SCORES = CTCHead.forward


@pytest.mark.parametrize(
    ("precision", "planted"),
    [
        ("float16", lambda head, states: CTC_SCORES(head, states) * 1e5 / 1e5),
        ("float16", lambda head, states: CTC_SCORES(head, states) + 1e5 - 1e5),
        ("bfloat16", lambda head, states: CTC_SCORES(head, states) + 1e3 - 1e3),
    ],
)
def test_a_constant_that_half_precision_cannot_hold_is_found(tasks, monkeypatch, precision, planted):
    expected = run_on_cpu(ALL_HEADS, tasks[1])
    monkeypatch.setattr(CTCHead, "forward", planted)
    with pytest.raises(AssertionError):
        run_on_device(ALL_HEADS, tasks[1], precision).check_near(expected, TOLERANCES[precision])


def test_a_mask_whose_number_half_precision_cannot_hold_is_found(tasks, monkeypatch):
    monkeypatch.setattr(
        CTCHead,
        "forward",
        lambda head, states: CTC_SCORES(head, states).masked_fill(
            torch.zeros((), dtype=torch.bool, device=states.device), -1e9
        ),
    )
    run_on_device(ALL_HEADS, tasks[1], "float32").check_near(run_on_cpu(ALL_HEADS, tasks[1]), TOLERANCES["float32"])
    with pytest.raises(RuntimeError, match="without overflow"):
        run_on_device(ALL_HEADS, tasks[1], "float16")
