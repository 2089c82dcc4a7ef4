"""The guided filter against its definition, strips against the whole, and what it must not do at edges."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr import carry, scale, strips


def guided_filter(residual, guide, variance, size, signal):
    """The filter as it is written down: one weighted ridge regression a window, coefficients interpolated."""
    pad = ((0, 0), (1, 1), (1, 1))
    p, g, v = (np.pad(x.astype(np.float64), pad, mode="edge") for x in (residual, guide, variance[None]))
    height, width = guide.shape[1:]
    planes = np.empty((18, height, width))
    for y in range(height):
        for x in range(width):
            pw, gw, vw = (a[:, y : y + 3, x : x + 3].reshape(-1, 9) for a in (p, g, v))
            w = 1 / (1 + vw / carry.MIXED)
            w = w / w.sum()
            mean, target = (gw * w).sum(1, keepdims=True), (pw * w).sum(1, keepdims=True)
            matrix = ((gw - mean) * w) @ (gw - mean).T + carry.EPSILON * np.eye(3)
            slopes = np.linalg.solve(matrix, ((gw - mean) * w) @ (pw - target).T)
            planes[:9, y, x] = slopes.T.ravel()
            planes[9:12, y, x] = (target - slopes.T @ mean)[:, 0]
            planes[12:15, y, x], planes[15:, y, x] = pw.min(1), pw.max(1)
    large = torch.nn.functional.interpolate(torch.from_numpy(planes)[None], size, mode="bilinear")[0].numpy()
    value = (large[:9].reshape(3, 3, *size) * signal[None]).sum(1) + large[9:12]
    return np.clip(value, large[12:15], large[15:])


@pytest.mark.parametrize(
    ("small", "size"), [((1, 1), (1, 1)), ((1, 5), (2, 17)), ((9, 11), (31, 40)), ((12, 8), (24, 16))]
)
def test_carrier_is_the_guided_filter(small, size):
    rng = np.random.default_rng(3)
    guide = rng.random((3, *small), np.float32)
    residual = (0.3 * guide[::-1] + 0.05 * rng.random((3, *small))).astype(np.float32)
    variance = (0.1 * rng.random(small) ** 8).astype(np.float32)
    signal = rng.random((3, *size), np.float32)
    found = carry.Carrier(residual, guide, variance, size).rows(signal, slice(0, size[0]))
    np.testing.assert_allclose(found, guided_filter(residual, guide, variance, size, signal), atol=1e-3)


def carrier(residual, guide, signal):
    size = signal.shape[1:]
    return carry.Carrier(residual, guide, scale.variance(signal, guide.shape[1:]), size)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 80), st.integers(1, 80), st.integers(1, 30))
def test_rows_are_the_whole_picture_bit_for_bit(height, width, step):
    rng = np.random.default_rng(height)
    small = max(1, height // 3), max(1, width // 2)
    residual, guide = rng.random((2, 3, *small), np.float32)
    signal = rng.random((3, height, width), np.float32)
    whole = carrier(residual, guide, signal).rows(signal, slice(0, height))
    for start in range(0, height, step):
        rows = slice(start, min(start + step, height))
        np.testing.assert_array_equal(
            carrier(residual, guide, signal).rows(signal[:, rows], rows), whole[:, rows]
        )


def test_coefficients_do_not_depend_on_strips(monkeypatch):
    rng = np.random.default_rng(5)
    residual, guide = rng.random((2, 3, 61, 47), np.float32)
    signal = rng.random((3, 200, 150), np.float32)
    whole = carrier(residual, guide, signal).planes
    monkeypatch.setattr(strips, "PIXELS", 300)
    np.testing.assert_array_equal(carrier(residual, guide, signal).planes, whole)


def test_nothing_to_carry_is_exactly_nothing():
    signal = np.random.default_rng(6).random((3, 50, 50), np.float32)
    guide = scale.shrink(signal, (20, 20))[0].numpy()
    assert not carrier(np.zeros_like(guide), guide, signal).rows(signal, slice(0, 50)).any()


def window_and_frame(noise):
    """A blown window 0.98 .. 1.0 beside a frame at 0.4, edge inside a working pixel; residual 0.25 in the window."""
    rng = np.random.default_rng(8)
    signal = np.full((3, 90, 120), 0.4, np.float32)
    signal[:, :, 61:] = 1.0
    signal = np.clip(signal + noise * rng.standard_normal(signal.shape), 0, 1).astype(np.float32)
    guide = scale.shrink(signal, (30, 40))[0].numpy()
    residual = 0.25 * np.clip((guide - 0.9) / 0.1, 0, 1)
    return signal, residual.astype(np.float32), guide


def test_an_edge_stays_where_it_is_and_has_no_halo():
    signal, residual, guide = window_and_frame(0)
    carried = carrier(residual, guide, signal).rows(signal, slice(0, 90))[:, 45]
    assert carried[:, :61].max() < 1e-3  # the frame
    assert carried[:, 61:].min() > 0.24  # the window: the whole step in one pixel
    assert carried.min() >= 0
    assert carried.max() <= 0.25 + 1e-6


def test_grain_is_not_amplified_on_the_frame():
    signal, residual, guide = window_and_frame(0.01)
    carried = carrier(residual, guide, signal).rows(signal, slice(0, 90))
    assert carried[:, :, :50].std() < 0.001
    assert carried[:, :, 55:60].std(1).max() < 0.01


def test_a_wire_finer_than_the_working_size_has_no_fringe():
    signal = np.full((3, 80, 80), 1.0, np.float32)
    signal[:, :, 40] = 0.2
    guide = scale.shrink(signal, (20, 20))[0].numpy()
    residual = (0.3 * np.clip((guide - 0.9) / 0.1, 0, 1)).astype(np.float32)
    carried = carrier(residual, guide, signal).rows(signal, slice(0, 80))
    assert carried[:, :, 40].max() < 0.1
    assert carried.min() >= 0
