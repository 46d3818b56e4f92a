"""The check of weights, centroids and frames, against numpy's and torch's own element by element."""

import numpy as np
import pytest
import torch

from preprocess.errors import NotFiniteError
from preprocess.files.reading.finite import check_finite, first_bad_row, is_finite

BAD = (np.nan, np.inf, -np.inf)


@pytest.mark.parametrize("value", [*BAD, 0.0, -3.3e38])
@pytest.mark.parametrize("place", [0, 7, 11])
def test_one_value_anywhere_decides(value, place):
    values = np.linspace(-1, 1, 12, dtype=np.float32)
    values[place] = value
    expected = bool(np.isfinite(values).all())
    for shaped in (values, values.reshape(3, 2, 2)):
        assert is_finite(shaped) == is_finite(torch.from_numpy(shaped)) == expected
    assert first_bad_row(values.reshape(3, 4)) == (-1 if expected else place // 4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_types_of_numbers(dtype):
    assert is_finite(torch.ones(3, dtype=dtype))
    assert not is_finite(torch.tensor([1.0, torch.nan], dtype=dtype))
    assert is_finite(torch.arange(3))
    assert is_finite(torch.zeros(0, 4))
    assert is_finite(np.zeros((0, 4)))


def test_the_error_names_file_tensor_and_row():
    tensors = {"good": torch.ones(2), "encoder.weight": torch.ones(4, 2), "bias": torch.tensor(torch.nan)}
    tensors["encoder.weight"][2, 1] = torch.inf
    expected = (
        "m.pt: encoder.weight holds NaN or infinite values in row 2 of 4, and so do 1 other tensors; take another"
    )
    with pytest.raises(NotFiniteError) as caught:
        check_finite(tensors, "m.pt", "take another")
    assert str(caught.value) == expected
    with pytest.raises(NotFiniteError, match="^bias holds NaN or infinite values$"):
        check_finite({"bias": tensors["bias"]})
    check_finite({"good": tensors["good"]})
