"""What the RNN-T losses cost, and what they give in half precision, under autocast, on a GPU and in DDP."""

import pytest
import torch
from rnnt_batches import BLANK, BOTH_LOSSES, assert_same, losses_and_gradients, random_batch, unfused_rnnt_loss
from torch.utils._python_dispatch import TorchDispatchMode

from fairseq_hmst.losses.rnnt import fused_rnnt_loss


class MatrixProducts(TorchDispatchMode):
    """Counts the multiplications of all matrix products."""

    num_multiplications = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        if name in ("mm", "addmm", "addmm_"):
            left, right = args[-2:]
            self.num_multiplications += left.shape[0] * left.shape[1] * right.shape[1]
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("needed", "num_products"),
    [((True, True, True, True), 4), ((True, False, False, False), 3), ((False, False, True, True), 3)],
)
def test_the_fused_loss_costs_four_products_over_valid_positions_and_fewer_with_frozen_inputs(needed, num_products):
    tensors, _ = random_batch(2, 9, 5, vocabulary=20, width=6)
    for tensor, is_needed in zip(tensors, needed, strict=True):
        tensor.requires_grad_(is_needed)
    labels = (torch.ones(2, 5, dtype=torch.int64), torch.tensor([9, 4]), torch.tensor([2, 5]), BLANK)
    with MatrixProducts() as products:
        fused_rnnt_loss(*tensors, *labels).sum().backward()
    num_positions = 9 * (2 + 1) + 4 * (5 + 1)
    assert products.num_multiplications == num_products * num_positions * 20 * 6


class LargestTensor(TorchDispatchMode):
    """Notes the number of elements of the largest tensor that any operation returns."""

    num_elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        outputs = result if isinstance(result, tuple | list) else [result]
        sizes = [output.numel() for output in outputs if isinstance(output, torch.Tensor)]
        self.num_elements = max([self.num_elements, *sizes])
        return result


def test_no_block_of_the_fused_loss_outgrows_chunk_elements():
    tensors, labels = random_batch(4, 30, 10, vocabulary=200, width=8, dtype=torch.float32)
    with LargestTensor() as largest:
        losses_and_gradients(fused_rnnt_loss, tensors, *labels, chunk_elements=5000)
    lattice = (30 + 10 + 1) * 2 * 4 * (10 + 2)
    assert 2500 < largest.num_elements <= max(5000, lattice) < 30 * 11 * 200


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("loss_function", [unfused_rnnt_loss, fused_rnnt_loss])
def test_half_precision_inputs_give_float32_losses_near_the_exact_ones(loss_function, dtype):
    tensors, labels = random_batch(3, 12, 6, vocabulary=15, width=16)
    halves = [tensor.detach().to(dtype).requires_grad_() for tensor in tensors]
    exact = losses_and_gradients(fused_rnnt_loss, [half.detach().double().requires_grad_() for half in halves], *labels)
    losses, gradients = losses_and_gradients(loss_function, halves, *labels)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses.double(), exact[0], rtol=0.02, atol=0)
    for half, gradient, expected in zip(halves, gradients, exact[1], strict=True):
        assert gradient.dtype == half.dtype == dtype
        assert (gradient.double() - expected).norm() <= 0.05 * expected.norm()


@pytest.mark.parametrize("is_backward_under_autocast", [False, True])
def test_autocast_runs_the_products_in_bfloat16_and_the_sums_in_float32(is_backward_under_autocast):
    tensors, labels = random_batch(3, 12, 6, vocabulary=15, width=16, dtype=torch.float32)
    exact = losses_and_gradients(fused_rnnt_loss, tensors, *labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = fused_rnnt_loss(*tensors, *labels)
    assert losses.dtype == torch.float32
    assert 0 < (losses - exact[0]).abs().max() <= 0.02 * exact[0].max()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_backward_under_autocast):
        gradients = torch.autograd.grad((losses * torch.arange(1, 4)).sum(), tensors)
    for gradient, expected in zip(gradients, exact[1], strict=True):
        assert gradient.dtype == torch.float32
        assert (gradient - expected).norm() <= 0.05 * expected.norm()


def test_autocast_leaves_float64_alone():
    tensors, labels = random_batch(2, 5, 3, vocabulary=6, width=4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = fused_rnnt_loss(*tensors, *labels)
    torch.testing.assert_close(losses, fused_rnnt_loss(*tensors, *labels), rtol=0, atol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@BOTH_LOSSES
def test_cuda_equals_cpu(loss_function):
    tensors, labels = random_batch(3, 20, 9, vocabulary=30, width=16)
    on_gpu = [tensor.detach().cuda().requires_grad_() for tensor in tensors]
    losses = loss_function(*on_gpu, *(tensor.cuda() for tensor in labels[:3]), BLANK)
    gradients = torch.autograd.grad((losses * torch.arange(1, 4, device="cuda")).sum(), on_gpu)
    ours = losses.detach().cpu(), [gradient.cpu() for gradient in gradients]
    assert_same(ours, losses_and_gradients(loss_function, tensors, *labels))


class Joiner(torch.nn.Module):
    """The loss inside a module, as a model under DistributedDataParallel holds it."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight = torch.nn.Parameter(weight)
        self.bias = torch.nn.Parameter(bias)

    def forward(self, encoder_out, predictor_out, *labels):
        return fused_rnnt_loss(encoder_out, predictor_out, self.weight, self.bias, *labels).sum()


def train_step_of_one_rank(rank, folder):
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    tensors, (*labels, _) = random_batch(4, 6, 4, vocabulary=7, width=5)
    joiner = torch.nn.parallel.DistributedDataParallel(Joiner(tensors[2].detach(), tensors[3].detach()))
    share = slice(2 * rank, 2 * rank + 2)
    joiner(*(tensor[share] for tensor in (*tensors[:2], *labels)), BLANK).backward()
    torch.save([joiner.module.weight.grad, joiner.module.bias.grad], f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_distributed_data_parallel_averages_the_gradients_of_its_shares(tmp_path):
    torch.multiprocessing.spawn(train_step_of_one_rank, (str(tmp_path),), nprocs=2)
    tensors, labels = random_batch(4, 6, 4, vocabulary=7, width=5)
    fused_rnnt_loss(*tensors, *labels).sum().backward()
    for rank in range(2):
        for ours, alone in zip(torch.load(tmp_path / f"{rank}.pt"), tensors[2:], strict=True):
            torch.testing.assert_close(ours, alone.grad / 2)
