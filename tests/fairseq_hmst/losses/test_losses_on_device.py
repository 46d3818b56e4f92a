"""The losses on a GPU that is not there: equal to the CPU in every precision, wide inside, with few waits."""

import contextlib

import pytest
import torch
from rnnt_batches import BLANK, random_batch
from second_device import MixedDevices, second_device
from torch.utils._python_dispatch import TorchDispatchMode

from fairseq_hmst.losses import rnnt_joiner, rnnt_lattice
from fairseq_hmst.losses.checked_labels import Labels
from fairseq_hmst.losses.consistency import symmetric_kl
from fairseq_hmst.losses.cross_entropy import count_correct, label_smoothed_cross_entropy
from fairseq_hmst.losses.ctc_loss import ctc_feasible, ctc_loss
from fairseq_hmst.losses.rnnt import fused_rnnt_loss, rnnt_loss

PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16, "autocast": torch.float32}


def fused(tensors, labels, on_host=None):
    return fused_rnnt_loss(*tensors, *labels, BLANK, on_host=on_host)


def unfused(tensors, labels, on_host=None):
    hidden = torch.tanh(tensors[0][:, :, None] + tensors[1][:, None])
    return rnnt_loss(torch.nn.functional.linear(hidden, *tensors[2:]), *labels, BLANK, on_host=on_host)


def logits_of(tensors):
    return torch.nn.functional.linear(tensors[0], *tensors[2:])


def ctc(tensors, labels, on_host=None):
    """CTC; the second example has no path."""
    return ctc_loss(torch.log_softmax(logits_of(tensors), -1, dtype=torch.float32), *labels, BLANK, on_host=on_host)


def cross_entropy(tensors, labels, on_host=None):
    log_probs = torch.log_softmax(logits_of(tensors)[:, : labels.targets.shape[1]], -1, dtype=torch.float32)
    losses, nll = label_smoothed_cross_entropy(log_probs, labels.targets, 0.1, padding_index=2)
    return losses + nll + count_correct(log_probs, labels.targets, padding_index=2)


def consistency(tensors, labels, on_host=None):
    log_probs = torch.log_softmax(logits_of(tensors), -1, dtype=torch.float32)
    is_padding = torch.arange(log_probs.shape[1], device=log_probs.device) >= labels.source_lengths[:, None]
    return symmetric_kl(log_probs, log_probs.flip(1), is_padding)


def batch(dtype=torch.float32):
    tensors, (targets, *_) = random_batch(3, 12, 6, vocabulary=15, width=16, dtype=torch.float32)
    labels = Labels(targets, torch.tensor([12, 5, 9]), torch.tensor([6, 6, 0]))
    return [tensor.detach().to(dtype).requires_grad_() for tensor in tensors], labels


def result_on(device, loss_of, precision, labels_on=None, on_host=False):
    """Losses, and gradients of a sum in which each example has a weight of its own."""
    leaves, labels = batch(PRECISIONS[precision])
    tensors = [leaf.detach().to(device).requires_grad_() for leaf in leaves]
    given = Labels(*(tensor.to(labels_on or device) for tensor in labels))
    is_autocast = precision == "autocast"
    with torch.autocast(device, dtype=torch.bfloat16) if is_autocast else contextlib.nullcontext():
        losses = loss_of(tensors, given, on_host=labels if on_host else None)
    weighted = sum(weight * losses[example] for example, weight in enumerate((1.0, 2.0, 3.0)))
    return losses, torch.autograd.grad(weighted, tensors, allow_unused=True)


def assert_equal_on_device(loss_of, precision):
    on_cpu = result_on("cpu", loss_of, precision)
    with second_device():
        losses, gradients = result_on("cuda", loss_of, precision)
        assert losses.dtype == torch.float32
        assert losses.device.type == "cuda"
        torch.testing.assert_close(losses.cpu(), on_cpu[0])
        for one, other in zip(gradients, on_cpu[1], strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                torch.testing.assert_close(one.cpu(), other)


def assert_near_float32(loss_of, precision):
    """Within what the precision of the inputs explains, on the CPU."""
    exact, found = result_on("cpu", loss_of, "float32"), result_on("cpu", loss_of, precision)
    torch.testing.assert_close(found[0], exact[0], rtol=0.02, atol=0.02)
    for one, other in zip(found[1], exact[1], strict=True):
        if one is not None:
            assert (one.float() - other).norm() <= 0.05 * other.norm()


LOSSES = (fused, unfused, ctc, cross_entropy, consistency)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("loss_of", LOSSES)
def test_losses_and_gradients_equal_the_cpus_and_follow_float32(loss_of, precision):
    assert_equal_on_device(loss_of, precision)
    assert_near_float32(loss_of, precision)


# waits in forward and backward, by where labels and lengths are
@pytest.mark.parametrize(
    ("labels_on", "on_host", "forward_waits"), [("cuda", False, 1), ("cpu", False, 0), ("cuda", True, 0)]
)
@pytest.mark.parametrize(("loss_of", "backward_waits"), [(fused, 1), (unfused, 0), (ctc, 0)])
def test_the_host_waits_once_for_labels_and_not_where_it_knows_them(
    loss_of, backward_waits, labels_on, on_host, forward_waits
):
    with second_device() as gpu:
        result_on("cuda", loss_of, "float32", labels_on, on_host)
        places = [place.split(" of ")[-1] for place in gpu.waits.elements()]
        assert sorted(places) == ["_on_host"] * forward_waits + ["backward"] * backward_waits
        inputs = 4 + 3 * (labels_on == "cuda")  # what the test itself sends
        assert gpu.uploads.total() == inputs + 3 * (labels_on == "cpu")


@pytest.mark.parametrize("loss_of", [cross_entropy, consistency])
def test_losses_without_lengths_wait_for_nothing(loss_of):
    with second_device() as gpu:
        result_on("cuda", loss_of, "float32")
        assert not gpu.waits


def test_feasibility_waits_for_nothing():
    _, labels = batch()
    with second_device() as gpu:
        on_device = Labels(*(tensor.to("cuda") for tensor in labels))
        feasible = ctc_feasible(*on_device)
        assert not gpu.waits
        assert feasible.tolist() == [True, False, True]


def test_neither_steps_nor_utterances_add_waits_or_launches():
    counts = set()
    for num_utterances, num_steps in ((2, 3), (2, 12), (5, 12)):
        with second_device() as gpu:
            tensors, labels = random_batch(num_utterances, num_steps, 2, vocabulary=5, width=4, dtype=torch.float32)
            on_device = [tensor.detach().to("cuda").requires_grad_() for tensor in tensors]
            gpu.reset()
            fused_rnnt_loss(*on_device, *labels).sum().backward()
            counts.add((gpu.waits.total(), gpu.operations))
    assert len(counts) == 1


def test_errors_name_the_entry_on_a_gpu_too():
    tensors, labels = batch()
    labels.targets[1, 2] = BLANK
    with second_device():
        on_device = [tensor.detach().to("cuda") for tensor in tensors]
        for loss_of in (fused, unfused, ctc):
            with pytest.raises(ValueError, match=r"targets\[1, 2\] is 0"):
                loss_of(on_device, Labels(*(tensor.to("cuda") for tensor in labels)))


class Widths(TorchDispatchMode):
    """Types of what sums over probabilities give, by the name of the function."""

    def __init__(self):
        super().__init__()
        self.types = {"log_softmax": set(), "softmax": set(), "logcumsumexp": set(), "cumsum": set(), "exp": set()}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        name = function.overloadpacket.__name__.removeprefix("_")
        if name in self.types and result.is_floating_point():
            self.types[name].add(result.dtype)
        return result


@pytest.mark.parametrize("precision", ["float16", "bfloat16", "autocast"])
@pytest.mark.parametrize("loss_of", [fused, unfused])
def test_softmax_is_float32_and_the_lattice_float64_whatever_the_precision(loss_of, precision):
    with Widths() as widths:
        result_on("cpu", loss_of, precision)
    softmax = set() if loss_of is unfused else {torch.float32}
    lattice = {name: {torch.float64} for name in ("logcumsumexp", "cumsum", "exp")}
    assert widths.types == {"log_softmax": {torch.float32}, "softmax": softmax, **lattice}


@pytest.mark.parametrize("left", range(4))
@pytest.mark.parametrize("loss_of", [fused, unfused])
def test_an_input_that_was_left_on_the_cpu_is_refused(loss_of, left):
    tensors, labels = batch()
    with second_device():
        mixed = [
            tensor.detach() if place == left else tensor.detach().to("cuda") for place, tensor in enumerate(tensors)
        ]
        with pytest.raises(MixedDevices):
            loss_of(mixed, labels)


@pytest.mark.parametrize(("module", "name"), [(rnnt_lattice, "arange"), (rnnt_joiner, "empty")])
def test_a_planted_tensor_of_the_cpu_is_found(module, name, monkeypatch):
    class LeftBehind:
        """torch, but what one function makes is on the CPU, whatever device it is told."""

        def __getattr__(self, asked):
            made = getattr(torch, asked)
            return (lambda *sizes, device=None, **options: made(*sizes, **options)) if asked == name else made

    monkeypatch.setattr(module, "torch", LeftBehind())
    assert result_on("cpu", fused, "float32")[0].isfinite().all()
    with pytest.raises(MixedDevices):
        assert_equal_on_device(fused, "float32")


def test_a_planted_constant_that_float16_does_not_hold_is_found():
    def with_constant(tensors, labels, on_host=None):
        return fused([*tensors[:2], tensors[2] * 1e5 / 1e5, tensors[3]], labels, on_host)

    assert_near_float32(with_constant, "bfloat16")
    with pytest.raises(AssertionError):
        assert_near_float32(with_constant, "float16")
