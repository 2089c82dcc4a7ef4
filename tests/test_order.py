"""The clipped core of a light is never darker than its rim."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from sdr2hdr.order import CORE, REACH, RIM, raise_cores


def _disc(radius: float, size: int = 64) -> torch.Tensor:
    """Signal (1, 3, H, W) of a clipped disc with a rim of three pixels on grey."""
    y, x = np.mgrid[:size, :size]
    distance = np.hypot(y - size / 2, x - size / 2)
    signal = np.interp(distance, [radius, radius + 3], [1.0, 0.5])
    return torch.from_numpy(signal.astype(np.float32)).expand(1, 3, size, size).contiguous()


@pytest.mark.parametrize("radius", [1, 4, 20])
def test_a_dark_core_is_lifted_to_its_rim(radius: float) -> None:
    signal = _disc(radius)
    core = signal[:, :1] >= CORE
    pq = 0.3 + 0.4 * signal
    pq = torch.where(core, pq - 0.2, pq)
    before = pq.clone()
    raise_cores(pq, torch.zeros_like(pq), signal)
    assert torch.equal(pq[~core.expand_as(pq)], before[~core.expand_as(pq)])
    rim = (signal[:, :1] >= RIM) & ~core
    assert float(pq[core.expand_as(pq)].min()) >= float(before[rim.expand_as(pq)].mean()) - 1e-6


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_against_a_slow_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(0, 1, (40, 50)), 2)
    top = np.clip(0.85 + 0.6 * noise, 0, 1).astype(np.float32)
    signal = torch.from_numpy(np.stack([top, top * 0.9, top * 0.5]))[None]
    pq, direct = (torch.from_numpy(rng.random((1, 3, 40, 50), dtype=np.float32)) for _ in range(2))
    found = (raise_cores(pq.clone(), direct, signal) - direct)[0].numpy()
    pq = pq - direct
    labels, count = ndimage.label(top >= CORE, np.ones((3, 3)))
    assert (found >= pq[0].numpy() - 1e-6).all()
    partly = (top < CORE) & (top >= RIM)
    near = np.stack(
        [ndimage.binary_dilation(labels == i + 1, np.ones((REACH, REACH))) for i in range(count)] or [partly]
    )
    shared = near.sum(0) > 1
    for label in range(1, count + 1):
        rim = near[label - 1] & partly
        if rim.any() and not (rim & shared).any():
            core = labels == label
            assert found.max(0)[core].min() >= pq[0].numpy().max(0)[rim].mean() - 1e-5


def test_nothing_to_lift() -> None:
    pq = torch.rand(1, 3, 20, 30)
    for signal in (torch.zeros(1, 3, 20, 30), torch.ones(1, 3, 20, 30)):
        assert torch.equal(raise_cores(pq.clone(), torch.zeros_like(pq), signal), pq)
    signal = _disc(5)
    assert torch.equal(raise_cores(signal.clone(), signal, signal), signal)
