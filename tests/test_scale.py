"""Area averages against their definition, and the working size against its limits."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr import scale, strips
from sdr2hdr.color import transfer


def averaging(full: int, small: int) -> np.ndarray:
    """Matrix (small, full): the share that every full pixel has in the extent of a small one."""
    edges = np.arange(small + 1) * full / small
    low = np.maximum(edges[:-1, None], np.arange(full))
    high = np.minimum(edges[1:, None], np.arange(1, full + 1))
    return np.maximum(high - low, 0) * small / full


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.05, 4))
def test_working_size_keeps_the_limit_and_the_shape(height, width, megapixels):
    h, w = scale.working_size((height, width), megapixels)
    if height * width <= megapixels * 1e6:
        assert (h, w) == (height, width)
        return
    assert 1 <= h <= height
    assert 1 <= w <= width
    assert h * w == pytest.approx(megapixels * 1e6, rel=0.51 / h + 0.51 / w)
    if min(h, w) > 1:
        assert h / height == pytest.approx(w / width, abs=0.51 / height + 0.51 / width)


def test_working_size_of_a_line_and_of_full_size():
    assert scale.working_size((1, 3_000_000), 1.0) == (1, 1_000_000)
    assert scale.working_size((3_000_000, 2), 1.0) == (1_000_000, 1)
    assert scale.working_size((5000, 6000), 0) == (5000, 6000)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_shrink_averages_light_by_area(data):
    height, width = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 90))
    size = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    signal = np.random.default_rng(height * width).random((height, width, 3), np.float32).transpose(2, 0, 1)
    light = transfer.srgb_decode(torch.from_numpy(signal)).double().numpy()
    mean = averaging(height, size[0]) @ light @ averaging(width, size[1]).T
    found = scale.shrink(signal, size)
    assert found.shape == (1, 3, *size)
    np.testing.assert_allclose(transfer.srgb_decode(found)[0], mean, atol=3e-6)


def test_shrink_does_not_depend_on_strips(monkeypatch):
    signal = np.random.default_rng(0).random((3, 301, 211), np.float32)
    whole = scale.shrink(signal, (100, 71))
    monkeypatch.setattr(strips, "PIXELS", 1000)
    assert torch.equal(scale.shrink(signal, (100, 71)), whole)


def test_variance_inside_pixels():
    signal = np.random.default_rng(4).random((3, 12, 20), np.float32)
    cells = signal.mean(0).reshape(4, 3, 5, 4)
    np.testing.assert_allclose(scale.variance(signal, (4, 5)), cells.var((1, 3)), atol=1e-6)
    assert scale.variance(np.full((3, 50, 50), 0.7, np.float32), (20, 20)).max() < 1e-6
