"""Settings of torch inside and outside of the block, read by torch's own getters."""

import contextlib
import threading
from collections.abc import Iterator

import pytest
import torch
from torch import backends

from preprocess.speech.precision import float32_products

PLACES = [(kind, of) for kind in ("cuda", "mkldnn") for of in ("all", "matmul", "conv", "rnn")]
CHANGED = {("cuda", "matmul"), ("cuda", "conv"), ("mkldnn", "matmul"), ("mkldnn", "conv")}


def precisions() -> dict[tuple[str, str], str]:
    return {place: torch._C._get_fp32_precision_getter(*place) for place in PLACES}


def switches() -> tuple[object, ...]:
    cudnn, mkldnn = backends.cudnn, backends.mkldnn
    return cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.benchmark_limit, mkldnn.enabled


def leave_alone() -> None:
    pass


def set_by_older_functions() -> None:
    torch.set_float32_matmul_precision("medium")
    backends.cudnn.allow_tf32 = False


def set_by_newer_names() -> None:
    backends.cuda.matmul.fp32_precision = "tf32"
    backends.cudnn.conv.fp32_precision = "ieee"


@pytest.fixture
def restored() -> Iterator[None]:
    """What the test sets is put back."""
    before, older = precisions(), torch.get_float32_matmul_precision()
    benchmark, convolutions = backends.cudnn.benchmark, backends.cudnn.allow_tf32
    yield
    backends.cudnn.benchmark, backends.cudnn.allow_tf32 = benchmark, convolutions
    torch.set_float32_matmul_precision(older)
    for place, precision in before.items():
        torch._C._set_fp32_precision_setter(*place, precision)


@pytest.mark.parametrize("precision", ["ieee", "tf32"])
@pytest.mark.parametrize("setting", [leave_alone, set_by_older_functions, set_by_newer_names])
@pytest.mark.parametrize("error", [None, RuntimeError("CUDA out of memory")])
def test_nothing_but_the_precision_is_set_and_all_is_put_back(restored, precision: str, setting, error):
    setting()
    backends.cudnn.benchmark = True
    before, switched = precisions(), switches()
    with contextlib.suppress(RuntimeError), float32_products(precision):
        assert precisions() == before | dict.fromkeys(CHANGED, precision)
        assert switches() == switched and backends.cudnn.enabled and backends.cudnn.benchmark
        if error:
            raise error
    assert (precisions(), switches()) == (before, switched)


def test_it_lasts_until_the_last_thread_is_through_and_another_precision_waits_for_that():
    before, seen = precisions(), []
    may_end, is_in = threading.Event(), threading.Event()

    def compute(precision: str, wait: bool) -> None:
        with float32_products(precision):
            is_in.set()
            if wait:
                may_end.wait(10)
            seen.append((precision, precisions()["cuda", "matmul"]))

    first = threading.Thread(target=compute, args=("tf32", True))
    first.start()
    assert is_in.wait(10)
    compute("tf32", False)  # begins after the other and ends before it
    other = threading.Thread(target=compute, args=("ieee", False))
    other.start()
    other.join(0.05)
    assert other.is_alive() and precisions()["cuda", "matmul"] == "tf32"
    may_end.set()
    first.join(10)
    other.join(10)
    assert seen == [("tf32", "tf32"), ("tf32", "tf32"), ("ieee", "ieee")]
    assert precisions() == before
