"""Base and detail: what they are made of, and that they multiply to the signal."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr import wls
from sdr2hdr.decompose import base_of, decompose


def picture(levels: int, dark: float, seed: int = 0, size: tuple[int, int] = (20, 30)) -> torch.Tensor:
    """Noise in quantised `levels`, a share of which is black."""
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(2, 3, *size, generator=random)
    image *= torch.rand(2, 1, *size, generator=random) >= dark
    return (image * levels).round() / levels


def test_base_is_the_smooth_signal() -> None:
    signal = picture(255, 0)
    guide = 0.2126 * signal[:, :1] + 0.7152 * signal[:, 1:2] + 0.0722 * signal[:, 2:]
    layers = decompose(signal)
    assert torch.allclose(
        layers.base, wls.smooth(signal, guide).clamp(0, 1), atol=1e-4
    )  # the guides differ by a rounding
    assert torch.allclose(layers.detail, signal / layers.base)


def test_parameters_are_the_solvers() -> None:
    signal = picture(255, 0)
    strong = wls.WlsParameters(lam=2.0)
    assert (decompose(signal, strong).base.std((2, 3)) < decompose(signal).base.std((2, 3))).all()
    assert (base_of(signal, strong).std((2, 3)) < base_of(signal).std((2, 3))).all()


@settings(max_examples=30, deadline=None)
@given(
    levels=st.sampled_from([1, 255, 65535]),
    dark=st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    gain=st.sampled_from([1.0, 1 / 255, 1 / 65535, 1e-9]),
    seed=st.integers(0, 2**32),
)
def test_base_times_detail_is_the_signal(levels: int, dark: float, gain: float, seed: int) -> None:
    signal = picture(levels, dark, seed) * gain
    base, detail = decompose(signal)
    assert base.min() >= 0
    assert base.max() <= 1
    assert detail.min() >= 0
    assert detail.isfinite().all()
    assert torch.allclose(base * detail, signal, rtol=3e-7, atol=0)
    zero = base == 0
    assert torch.equal(detail[zero], torch.ones_like(detail[zero]))
    assert torch.equal((base * detail)[zero], signal[zero])


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_a_flat_picture_has_no_detail(value: float) -> None:
    base, detail = decompose(torch.full((1, 3, 65, 70), value))
    assert torch.allclose(base, torch.full_like(base, value), atol=1e-6)
    assert torch.allclose(detail, torch.ones_like(detail), atol=2e-6)


def test_base_of_a_reference_takes_its_own_luminance_as_guide() -> None:
    pq = picture(4095, 0.1, size=(66, 40))
    guide = 0.2627 * pq[:, :1] + 0.6780 * pq[:, 1:2] + 0.0593 * pq[:, 2:]  # ITU-R BT.2020-2, table 4
    assert torch.allclose(base_of(pq), wls.smooth(pq, guide).clamp(0, 1), atol=1e-4)
