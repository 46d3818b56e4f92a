"""The GPU that is not there: what it refuses and counts is what a GPU refuses and waits for."""

import pytest
import torch
from second_device import MixedDevices, second_device
from torch.nn import functional


def test_tensors_of_both_devices_in_one_operation_are_refused():
    with second_device():
        on_device = torch.ones(3, device="cuda")
        for operation in (
            lambda: on_device + torch.ones(3),
            lambda: torch.cat([on_device, torch.ones(1)]),
            lambda: torch.stack([torch.tensor(1.0, device="cuda"), torch.tensor(1.0)]),
            lambda: torch.arange(3)[on_device.long()],
            lambda: functional.linear(on_device, torch.ones(2, 3)),
            lambda: on_device.index_select(0, torch.tensor([1])),
        ):
            with pytest.raises(MixedDevices):
                operation()


def test_numbers_of_the_cpu_are_taken():
    with second_device():
        result = torch.ones(3, device="cuda") * torch.tensor(2.0)
        assert result.device.type == "cuda"
        assert result.tolist() == [2, 2, 2]


def test_what_is_made_of_a_tensor_is_on_its_device():
    with second_device():
        on_device = torch.ones(3, device="cuda")
        for made in (
            torch.arange(3, device=on_device.device),
            torch.tensor([1, 2], device="cuda"),
            on_device.new_tensor([1.0]),
            on_device.new_zeros(2),
            torch.zeros_like(on_device),
            on_device[1:],
            on_device.view(3, 1),
        ):
            assert made.device == torch.device("cuda:0")
        assert torch.ones(3).device.type == on_device.cpu().device.type == "cpu"
        with pytest.raises(TypeError):
            on_device.numpy()


def test_views_and_operations_in_place_change_the_same_numbers():
    with second_device():
        on_device = torch.zeros(4, device="cuda")
        on_device[1:3] += 1
        on_device.view(2, 2)[1].fill_(5)
        assert on_device.tolist() == [0, 1, 5, 5]


@pytest.mark.parametrize(
    ("operation", "waits"),
    [
        (lambda numbers: numbers + 1, 0),
        (lambda numbers: numbers.sum().item(), 1),
        (lambda numbers: bool((numbers > 0).any()), 1),
        (lambda numbers: numbers.tolist(), 1),
        (lambda numbers: numbers.cpu(), 1),
        (lambda numbers: (numbers > 0).nonzero(), 1),
        (lambda numbers: numbers[numbers > 0], 1),
        (lambda numbers: numbers.masked_fill(numbers > 0, 1), 0),
        (lambda numbers: numbers.__setitem__(numbers > 0, 1), 0),
        (lambda numbers: numbers.__setitem__(numbers > 0, numbers[0]), 1),
        (lambda numbers: numbers[torch.arange(2, device=numbers.device)], 0),
        (lambda numbers: numbers.repeat_interleave(numbers.long()), 1),
        (lambda numbers: numbers.repeat_interleave(2), 0),
        (lambda numbers: torch.equal(numbers, numbers), 1),
        (lambda numbers: int(numbers[0]) if numbers[0] > 0 else 0, 2),
    ],
)
def test_waits_of_the_host_are_counted(operation, waits):
    with second_device() as gpu:
        numbers = torch.ones(3, device="cuda")
        gpu.reset()
        operation(numbers)
        assert sum(gpu.waits.values()) == waits
        assert not gpu.uploads


def test_lists_and_masks_of_the_cpu_are_indices_that_are_sent():
    with second_device() as gpu:
        on_device = torch.arange(4, device="cuda")
        on_device[[1]] = 7
        on_device.view(2, 2)[1, [0, 1]] += 1
        assert on_device[torch.tensor([True, True, False, False])].tolist() == [0, 7]
        assert sum(gpu.uploads.values()) == 4
        assert sum(gpu.waits.values()) == 1  # tolist
        assert on_device.tolist() == [0, 7, 3, 4]


def test_uploads_are_counted_where_they_happen():
    with second_device() as gpu:
        torch.ones(3).to("cuda")
        torch.tensor([1, 2], device="cuda")
        torch.ones(3, device="cuda")[torch.tensor([0])]
        assert sum(gpu.uploads.values()) == 3
        assert all("of test_uploads_are_counted_where_they_happen" in place for place in gpu.uploads)


@pytest.mark.parametrize("lengths_on", ["cpu", "cuda"])
def test_ctc_fetches_lengths_that_are_on_the_gpu(lengths_on):
    with second_device() as gpu:
        log_probs = torch.randn(5, 2, 4, device="cuda", requires_grad=True)
        lengths = torch.tensor([5, 4], device=lengths_on), torch.tensor([1, 2], device=lengths_on)
        targets = torch.tensor([[1, 0], [2, 3]], device="cuda")
        gpu.reset()
        loss = functional.ctc_loss(log_probs.log_softmax(-1), targets, *lengths, reduction="none")
        loss.sum().backward()
        assert sum(gpu.waits.values()) == (2 if lengths_on == "cuda" else 0)
        assert log_probs.grad.device.type == "cuda"


def test_gradients_and_autocast_are_those_of_the_cpu():
    torch.manual_seed(1)
    layer, lstm = torch.nn.Linear(4, 3), torch.nn.LSTM(3, 2)
    inputs = torch.randn(5, 4)
    lstm(layer(inputs))[0].sum().backward()
    expected = layer.weight.grad.clone()
    layer.zero_grad()
    with second_device():
        layer.to("cuda"), lstm.to("cuda")
        lstm(layer(inputs.to("cuda")))[0].sum().backward()
        assert torch.allclose(layer.weight.grad.cpu(), expected)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            assert layer(inputs.to("cuda")).dtype == torch.bfloat16
            assert functional.log_softmax(layer(inputs.to("cuda")), -1).dtype == torch.float32
