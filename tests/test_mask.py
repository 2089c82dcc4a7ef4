"""The mask against the equation written as loops, and the laws of its threshold."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr import mask


def test_soft_mask_is_equation_1():
    base = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float32)
    tau = [0.9, 0.75]
    expected = np.zeros_like(base)
    for n, c, y, x in np.ndindex(base.shape):
        expected[n, c, y, x] = max(0.0, base[n, c, y, x] - tau[n]) / (1 - tau[n])
    found = mask.soft_mask(torch.from_numpy(base), torch.tensor(tau))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(mask.soft_mask(torch.from_numpy(base[:1]), 0.9), expected[:1], atol=1e-6)


def test_soft_mask_ends_exactly():
    base = torch.tensor([0.0, 0.9, 1.0]).expand(1, 3, 3)[..., None]
    found = mask.soft_mask(base, 0.9)
    assert found[0, 0, :, 0].tolist() == [0.0, 0.0, 1.0]
    assert found.dtype == torch.float32


def test_mask_is_per_channel():
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 1
    assert mask.soft_mask(red, 0.9).amax(dim=(0, 2, 3)).tolist() == [1, 0, 0]


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_threshold_falls_with_the_share(a, b):
    low, high = sorted((a, b))
    assert mask.threshold(low) >= mask.threshold(high)
    assert mask.THRESHOLD_RANGE[0] <= mask.threshold(a) <= mask.THRESHOLD_RANGE[1]


def test_threshold_as_documented():
    assert [mask.threshold(s) for s in (0, 0.25, 1)] == pytest.approx([0.93, 0.85, 0.85])
    assert all(abs(mask.threshold(s) - 0.9) <= 0.006 for s in np.linspace(0.005, 0.10, 20))


def test_clipped_share_counts_the_largest_channel():
    signal = torch.full((3, 2, 5), 0.5)
    signal[1, 0, 0] = 0.95
    signal[2, 1, :] = 1.0
    signal[0, 0, 1] = 0.949
    assert mask.clipped_share(signal) == pytest.approx(0.6)
