"""Pictures from arrays."""

from typing import Any

import numpy as np
import pytest

from sdr2hdr.errors import InputError
from sdr2hdr.formats import from_array


@pytest.mark.parametrize(
    ("dtype", "white", "bits"),
    [("u1", 255, 8), ("<u2", 65535, 16), (">u2", 65535, 16), ("f2", 1, 16), ("f4", 1, 16), ("f8", 1, 16)],
)
def test_types(dtype: str, white: float, bits: int) -> None:
    codes = np.array([[[0, 0.2, 1], [1, 0, 0.6]]]) * white
    image = from_array(codes.astype(dtype))
    assert (image.size, image.bits, image.alpha, image.digest) == ((1, 2), bits, None, "")
    assert image.signal.dtype == np.float32
    np.testing.assert_allclose(image.signal, codes.transpose(2, 0, 1) / white, atol=1e-3)
    np.testing.assert_array_equal(image.signal[0], [[0, 1]])


def test_grey_and_alpha() -> None:
    grey = np.array([[0, 51], [102, 255]], np.uint8)
    np.testing.assert_allclose(from_array(grey).signal, np.stack([grey / 255] * 3), rtol=1e-6)
    image = from_array(np.dstack([grey, grey, grey, 255 - grey]))
    assert image.alpha is not None
    np.testing.assert_allclose(image.alpha, 1 - grey / 255, rtol=1e-6)
    np.testing.assert_allclose(image.signal[2], grey / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((3, 4, 2)), r"shape \(3, 4, 2\)"),
        (np.zeros((1, 3, 4, 3)), "shape"),
        (np.zeros((0, 4, 3)), "shape"),
        (np.zeros((4, 4, 3), np.int32), "array of int32: not a picture; give uint8"),
        (np.zeros((4, 4, 3), bool), "array of bool"),
        (np.full((4, 4, 3), 255.0), "numbers outside 0..1"),
        (np.full((4, 4, 3), -0.1), "numbers outside 0..1"),
        (np.full((4, 4, 3), np.nan), "numbers outside 0..1"),
    ],
)
def test_what_is_no_picture(codes: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_array(codes)
