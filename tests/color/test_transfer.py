"""Curves against colour-science and against the values printed in the standards."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sdr2hdr.color import transfer

# SMPTE ST 2084 / ITU-R BT.2408: signals of these luminances, as printed to six digits
PRINTED = {100: 0.508078, 203: 0.580689, 1000: 0.751827, 4000: 0.902572, 10000: 1.0}


@pytest.mark.parametrize("top", [255, 65535])
def test_srgb_equals_colour_science_for_every_code(top: int) -> None:
    import colour  # seconds: not for the other tests

    codes = np.arange(top + 1) / top
    signal = torch.from_numpy(codes).float()
    decoded = transfer.srgb_decode(signal).double().numpy()
    assert np.abs(decoded - colour.eotf(codes, "sRGB")).max() < 1e-6
    encoded = transfer.srgb_encode(signal).double().numpy()
    assert np.abs(encoded - colour.eotf_inverse(codes, "sRGB")).max() < 1e-6


def test_srgb_between_the_codes() -> None:
    """The tables are interpolated: against the formula of IEC 61966-2-1 itself."""
    x = torch.rand(200_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    decoded = torch.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    assert (transfer.srgb_decode(x.float()).double() - decoded).abs().max() < 1e-6
    encoded = torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    assert (transfer.srgb_encode(x.float()).double() - encoded).abs().max() < 1e-6


def test_srgb_clamps_and_keeps_the_shape() -> None:
    x = torch.tensor([[-1.0, 0.0], [1.0, 7.0]])
    for curve in (transfer.srgb_decode, transfer.srgb_encode):
        assert torch.equal(curve(x), torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
        assert curve(torch.empty(3, 0, 5)).shape == (3, 0, 5)


def test_pq_as_printed() -> None:
    for nits, signal in PRINTED.items():
        assert float(transfer.pq_encode(torch.tensor(float(nits)))) == pytest.approx(signal, abs=6e-7)
        assert float(transfer.pq_decode(torch.tensor(signal))) == pytest.approx(nits, rel=2e-5)


def test_pq_equals_colour_science() -> None:
    import colour  # seconds: not for the other tests

    nits = np.geomspace(1e-4, 10000, 65536)
    signal = transfer.pq_encode(torch.from_numpy(nits).float()).double().numpy()
    assert np.abs(signal - colour.eotf_inverse(nits, "ST 2084")).max() < 1e-6
    codes = np.arange(65536) / 65535
    decoded = transfer.pq_decode(torch.from_numpy(codes).float()).double().numpy()
    expected = colour.eotf(codes, "ST 2084")
    assert np.all(np.abs(decoded - expected) <= 1e-4 * expected + 1e-6)


@given(st.floats(0.001, 10000))
def test_pq_round_trip(nits: float) -> None:
    back = float(transfer.pq_decode(transfer.pq_encode(torch.tensor(nits))))
    assert back == pytest.approx(nits, rel=1e-4)


def test_pq_ends() -> None:
    x = torch.tensor([-5.0, 0.0, 10000.0, 1e9])
    assert torch.equal(transfer.pq_encode(x)[:2], transfer.pq_encode(torch.zeros(2)))
    assert float(transfer.pq_encode(x)[0]) == pytest.approx(7.3e-7, abs=1e-7)
    assert torch.equal(transfer.pq_encode(x)[2:], torch.ones(2))
    assert torch.equal(transfer.pq_decode(torch.tensor([0.0, -1.0])), torch.zeros(2))
    assert float(transfer.pq_decode(torch.tensor(2.0))) == pytest.approx(10000)
